-- The ground: mentions with their keys and counts, sources, groups, incidents and the outbox.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE mentions (
    id          INTEGER PRIMARY KEY,
    seq         INTEGER NOT NULL,           -- rises with every change; what the index reads by
    content     INTEGER NOT NULL,           -- hash of title and text, tells an edit
    source      TEXT NOT NULL,
    network     TEXT NOT NULL,
    site        TEXT NOT NULL,
    url         TEXT NOT NULL,
    title       TEXT NOT NULL,
    text        TEXT NOT NULL,
    author      TEXT NOT NULL,
    handle      TEXT NOT NULL,
    followers   INTEGER,
    at          INTEGER NOT NULL,           -- event time, milliseconds
    received    INTEGER NOT NULL,
    flags       INTEGER NOT NULL,           -- 1 undated, 2 history
    language    TEXT NOT NULL,
    sentiment   REAL,
    why         TEXT NOT NULL,              -- JSON: [[word, weight], …]
    intent      TEXT NOT NULL,
    reach       INTEGER NOT NULL,
    engagement  INTEGER NOT NULL,
    tier        INTEGER NOT NULL,
    story       INTEGER NOT NULL,
    fingerprint INTEGER NOT NULL,
    topics      TEXT NOT NULL               -- names, one a line
) STRICT;
CREATE UNIQUE INDEX mentions_seq ON mentions (seq);

-- Identities of mentions: hashes of (source, id) and of (url, content), with the content each was last seen with.
CREATE TABLE identities (hash INTEGER PRIMARY KEY, mention INTEGER NOT NULL, content INTEGER NOT NULL) STRICT;

CREATE TABLE topics (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE topic_mentions (
    topic INTEGER NOT NULL, at INTEGER NOT NULL, mention INTEGER NOT NULL,
    PRIMARY KEY (topic, at, mention)
) STRICT, WITHOUT ROWID;
CREATE TABLE counts (
    topic INTEGER NOT NULL, minute INTEGER NOT NULL,
    mentions INTEGER NOT NULL, negative INTEGER NOT NULL, positive INTEGER NOT NULL,
    scored INTEGER NOT NULL, sentiment REAL NOT NULL, reach INTEGER NOT NULL,
    PRIMARY KEY (topic, minute)
) STRICT, WITHOUT ROWID;

CREATE TABLE sources (
    name TEXT PRIMARY KEY, state TEXT NOT NULL, due INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE groups (
    alert TEXT NOT NULL, grp TEXT NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (alert, grp)
) STRICT, WITHOUT ROWID;

CREATE TABLE incidents (
    id INTEGER PRIMARY KEY,
    alert TEXT NOT NULL, grp TEXT NOT NULL, status TEXT NOT NULL,
    opened INTEGER NOT NULL, ended INTEGER, state TEXT NOT NULL
) STRICT;
CREATE INDEX incidents_live ON incidents (status, ended);

CREATE TABLE timeline (
    id INTEGER PRIMARY KEY, incident INTEGER NOT NULL REFERENCES incidents (id),
    at INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, detail TEXT NOT NULL
) STRICT;
CREATE INDEX timeline_incident ON timeline (incident, id);

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL UNIQUE,
    incident INTEGER,                       -- NULL for messages to the operator
    person TEXT NOT NULL, address TEXT NOT NULL, subject TEXT NOT NULL, body BLOB NOT NULL,
    created INTEGER NOT NULL, due INTEGER NOT NULL, attempts INTEGER NOT NULL,
    state TEXT NOT NULL,                    -- waiting, delivered, failed
    relay TEXT NOT NULL, error TEXT NOT NULL, done INTEGER
) STRICT;
CREATE INDEX outbox_due ON outbox (state, due);
