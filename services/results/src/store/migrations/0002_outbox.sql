-- Final facts, written with the state they tell of; finished_at is set when nothing is left to do after publishing.
CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  transcript_id uuid NOT NULL REFERENCES transcripts ON DELETE CASCADE,
  revision integer NOT NULL,
  type text NOT NULL,
  payload jsonb NOT NULL,
  traceparent text,
  created_at timestamptz NOT NULL DEFAULT now(),
  published_at timestamptz,
  finished_at timestamptz,
  UNIQUE (transcript_id, revision, type)
);

CREATE INDEX outbox_open ON outbox (id) WHERE finished_at IS NULL;

-- Leases of one-replica work (holder, expires_at) and how far a stream has been read (position).
CREATE TABLE marks (
  name text PRIMARY KEY,
  holder text,
  expires_at timestamptz,
  position bigint,
  updated_at timestamptz NOT NULL DEFAULT now()
);
