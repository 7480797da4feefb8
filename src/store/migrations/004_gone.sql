-- Deleted mentions, until the index has passed them.
CREATE TABLE gone (
    seq      INTEGER PRIMARY KEY,           -- in one line with mentions.seq
    mention  INTEGER NOT NULL,
    thorough INTEGER NOT NULL               -- 1: its words leave the files of the index as well
) STRICT;
