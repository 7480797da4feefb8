-- Erasures, which name nobody, and the tombstones that keep the erased away: keyed hashes of authors and identities.
CREATE TABLE erasures (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, state TEXT NOT NULL) STRICT;
CREATE TABLE tombstones (hash BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
