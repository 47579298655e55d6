-- Pieces of work that were sent round again on purpose, each with its newest job on the way to the broker. Give-ups of a
-- piece that are older than its replay no longer count. finished_at is set once the broker has the job.
CREATE TABLE replays (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  transcript_id uuid NOT NULL REFERENCES transcripts ON DELETE CASCADE,
  stage text NOT NULL CHECK (stage IN ('split', 'chunk')),
  plan integer NOT NULL,
  n integer NOT NULL,
  generation integer NOT NULL,
  job jsonb NOT NULL,
  traceparent text,
  -- the newest unreadable fact that lies where the piece's result must go
  obstacle_seq bigint,
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  UNIQUE (transcript_id, stage, plan, n)
);

CREATE INDEX replays_open ON replays (id) WHERE finished_at IS NULL;

-- An unreadable message is kept once, in whatever generation it is read again.
CREATE UNIQUE INDEX dead_letters_received ON dead_letters (seq, subject) WHERE payload IS NOT NULL;
