-- Sketches of the texts that begin a story or change it, for as long as it takes copies: what the stories are known by after
-- a restart. Filled by the program from the mentions of the last days.
CREATE TABLE sketches (
    mention INTEGER PRIMARY KEY,
    story   INTEGER NOT NULL,
    at      INTEGER NOT NULL,               -- event time, milliseconds
    sketch  BLOB NOT NULL
) STRICT;
