-- A text search vector must stay under 1 MB; a longer text is searched by its beginning instead of refused.
CREATE FUNCTION transcript_search(body text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN to_tsvector('pg_catalog.simple', body);
EXCEPTION WHEN program_limit_exceeded THEN
  RETURN to_tsvector('pg_catalog.simple', left(body, 200000));
END $$;

-- A row without accepted_at is a stub: a fact about the transcript came before `accepted`.
CREATE TABLE transcripts (
  id uuid PRIMARY KEY,
  tenant_id text NOT NULL,
  status text NOT NULL DEFAULT 'queued'
    CHECK (status IN ('queued', 'processing', 'completed', 'partial', 'failed', 'canceled', 'deleted')),
  revision integer NOT NULL DEFAULT 0,
  generation integer NOT NULL DEFAULT 0,
  plan integer,
  session_id text,
  engine text,
  lane text,
  language text,
  key text,
  -- json, not jsonb: returned as it came
  options json,
  metadata json,
  warnings jsonb NOT NULL DEFAULT '[]',
  duration_ms bigint,
  text text NOT NULL DEFAULT '',
  coverage jsonb,
  error_code text,
  error_detail text,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  accepted_at timestamptz(3),
  updated_at timestamptz NOT NULL DEFAULT now(),
  completed_at timestamptz(3),
  moved_at timestamptz NOT NULL DEFAULT now(),
  checked_at timestamptz NOT NULL DEFAULT now(),
  search tsvector GENERATED ALWAYS AS (transcript_search(text)) STORED
) WITH (fillfactor = 80);

CREATE INDEX transcripts_newest ON transcripts (tenant_id, created_at DESC, id DESC);
CREATE INDEX transcripts_session ON transcripts (tenant_id, session_id, created_at DESC, id DESC);
CREATE INDEX transcripts_search ON transcripts USING gin (search);
CREATE INDEX transcripts_unfinished ON transcripts (checked_at) WHERE status IN ('queued', 'processing');

CREATE TABLE splits (
  transcript_id uuid NOT NULL REFERENCES transcripts ON DELETE CASCADE,
  plan integer NOT NULL,
  generation integer NOT NULL,
  count integer NOT NULL CHECK (count >= 0),
  duration_ms bigint NOT NULL,
  channels integer NOT NULL,
  cuts jsonb NOT NULL,
  peaks_key text,
  truncated boolean NOT NULL,
  code text,
  detail text,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (transcript_id, plan)
);

CREATE TABLE chunks (
  transcript_id uuid NOT NULL REFERENCES transcripts ON DELETE CASCADE,
  plan integer NOT NULL,
  n integer NOT NULL,
  generation integer NOT NULL,
  attempt integer NOT NULL,
  start_ms bigint NOT NULL,
  end_ms bigint NOT NULL,
  engine text NOT NULL,
  model text NOT NULL,
  language text,
  segments jsonb NOT NULL,
  speech_ms bigint NOT NULL,
  transcribed_ms bigint NOT NULL,
  worker text NOT NULL,
  engine_ms bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (transcript_id, plan, n) INCLUDE (start_ms, end_ms)
);

-- Work given up on (stages accept, split, chunk) and messages that could not be read (stage message).
CREATE TABLE dead_letters (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id text,
  transcript_id uuid REFERENCES transcripts ON DELETE CASCADE,
  stage text NOT NULL CHECK (stage IN ('accept', 'split', 'chunk', 'message')),
  plan integer NOT NULL,
  n integer NOT NULL,
  generation integer NOT NULL,
  attempt integer,
  code text NOT NULL,
  evidence jsonb NOT NULL,
  start_ms bigint,
  end_ms bigint,
  job json,
  -- the message as it came, when it could not be read
  payload bytea,
  subject text NOT NULL,
  seq bigint NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  replayed_at timestamptz(3),
  discarded_at timestamptz(3)
);

CREATE UNIQUE INDEX dead_letters_work ON dead_letters (transcript_id, stage, plan, n, generation)
  WHERE stage <> 'message';
CREATE UNIQUE INDEX dead_letters_message ON dead_letters (seq, subject) WHERE stage = 'message';
CREATE INDEX dead_letters_newest ON dead_letters (tenant_id, created_at DESC, id DESC);
