-- What a mention answers and which talk it belongs to, in its network's own ids, and what its place calls it when it is asked
-- about it again; mentions that were deleted where they were published and are still to leave; hosts that want to be left
-- alone; hubs that tell of a feed.
ALTER TABLE mentions ADD COLUMN parent TEXT NOT NULL DEFAULT '';
ALTER TABLE mentions ADD COLUMN thread TEXT NOT NULL DEFAULT '';
ALTER TABLE mentions ADD COLUMN lookup TEXT NOT NULL DEFAULT '';
CREATE INDEX mentions_lookup ON mentions (source, lookup) WHERE lookup <> '';

CREATE TABLE withdrawn (mention INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT;

CREATE TABLE pauses (host TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE subscriptions (
    source TEXT PRIMARY KEY,
    token  TEXT NOT NULL UNIQUE,            -- the end of the address that the hub tells
    secret TEXT NOT NULL,                   -- what the hub signs with
    state  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, media TEXT NOT NULL, body BLOB NOT NULL
) STRICT;
