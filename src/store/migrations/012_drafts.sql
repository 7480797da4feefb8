-- What is to be said, with who approved it, and the steps of playbooks that are done.
CREATE TABLE drafts (
    id INTEGER PRIMARY KEY, incident INTEGER, done INTEGER NOT NULL, state TEXT NOT NULL
) STRICT;
CREATE INDEX drafts_incident ON drafts (incident);

CREATE TABLE ticks (
    incident INTEGER NOT NULL, step INTEGER NOT NULL, at INTEGER NOT NULL, who TEXT NOT NULL,
    PRIMARY KEY (incident, step)
) STRICT, WITHOUT ROWID;
