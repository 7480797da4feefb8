-- Sentiment toward topics where a text names several and speaks of each in its own way: a JSON list of topic and value;
-- empty for nearly all.
ALTER TABLE mentions ADD COLUMN toward TEXT NOT NULL DEFAULT '';
