-- Dead letters that nobody has dealt with are counted every few seconds, however many were dealt with before.
CREATE INDEX dead_letters_open ON dead_letters (transcript_id) WHERE replayed_at IS NULL AND discarded_at IS NULL;
