-- The W3C trace context of the fact that made the row: later work on the transcript joins its trace.
ALTER TABLE transcripts ADD COLUMN traceparent text;
