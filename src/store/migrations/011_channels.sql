-- By which channel a message goes, and its place among a person's ways of which one is enough.
ALTER TABLE outbox ADD COLUMN channel TEXT NOT NULL DEFAULT 'mail';
ALTER TABLE outbox ADD COLUMN chain TEXT NOT NULL DEFAULT '';     -- the same for those ways; empty for a message by itself
ALTER TABLE outbox ADD COLUMN place INTEGER NOT NULL DEFAULT 0;   -- 0 goes at once; the state `spared` is for those not needed
CREATE INDEX outbox_chain ON outbox (chain) WHERE chain <> '';
