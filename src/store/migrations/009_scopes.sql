-- What is usual is learned once for all alert rules about the same, and no longer for each rule: it is learned anew from the
-- mentions of the last days.
DROP TABLE groups;
CREATE TABLE groups (
    scope TEXT NOT NULL, grp TEXT NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (scope, grp)
) STRICT, WITHOUT ROWID;
DELETE FROM meta WHERE key = 'watched_late';
CREATE INDEX IF NOT EXISTS incidents_opened ON incidents (opened);
