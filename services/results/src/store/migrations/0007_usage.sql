-- What calls of paid engines cost, in milliseconds of audio; one row for a chunk and an engine, the first stays. Rows refer
-- to no transcript, because they outlive it: it is money.
CREATE TABLE usage (
  transcript_id uuid NOT NULL,
  plan integer NOT NULL,
  n integer NOT NULL,
  engine text NOT NULL,
  tenant_id text NOT NULL,
  model text NOT NULL,
  audio_ms bigint NOT NULL,
  billed_ms bigint NOT NULL,
  billed_at timestamptz(3) NOT NULL,
  PRIMARY KEY (transcript_id, plan, n, engine)
);

CREATE INDEX usage_by_time ON usage (billed_at, tenant_id);
