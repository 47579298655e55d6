-- What was done in the last minutes is counted by time; rows come in that order, so this stays tiny.
CREATE INDEX chunks_recent ON chunks USING brin (created_at) WITH (autosummarize = on);
CREATE INDEX dead_letters_recent ON dead_letters USING brin (created_at) WITH (autosummarize = on);

-- The scaling advice that stands, so that all replicas give the same and it changes no faster than it may.
CREATE TABLE scaling_advice (
  name text PRIMARY KEY,
  advice jsonb NOT NULL,
  changed_at timestamptz(3) NOT NULL
);
