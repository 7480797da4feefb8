-- What people lay over incidents, and the log of every act: appended to, never changed.
CREATE TABLE silences (
    id INTEGER PRIMARY KEY, until INTEGER NOT NULL, state TEXT NOT NULL
) STRICT;
CREATE INDEX silences_until ON silences (until);

CREATE TABLE audit (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL,
    who TEXT NOT NULL,                      -- a person's name, or vakt
    what TEXT NOT NULL, about TEXT NOT NULL, fact TEXT NOT NULL,
    hash TEXT NOT NULL                      -- SHA-256 over the hash before and all of this, in hexadecimal
) STRICT;
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
CREATE TRIGGER audit_whole BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
