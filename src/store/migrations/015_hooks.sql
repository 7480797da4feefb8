-- Calls of webhooks that were taken, so that one that comes again is known.
CREATE TABLE hook_events (
    hook  TEXT NOT NULL,                    -- the hook's name
    event INTEGER NOT NULL,                 -- a hash of what the caller calls it, or of what it says
    at    INTEGER NOT NULL,                 -- when it was taken, milliseconds
    PRIMARY KEY (hook, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX hook_events_at ON hook_events (at);
