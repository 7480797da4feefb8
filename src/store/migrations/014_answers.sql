-- Mentions that somebody should answer, and praise to give thanks for, with who has each and what became of it.
CREATE TABLE answers (
    mention INTEGER PRIMARY KEY,
    praise  INTEGER NOT NULL,               -- 1: thanks are enough
    urgency INTEGER NOT NULL,               -- 0 to 100
    asked   INTEGER NOT NULL,               -- when vakt had it, milliseconds
    due     INTEGER NOT NULL,
    state   TEXT NOT NULL,                  -- new, taken, answered, dismissed
    owner   TEXT NOT NULL,                  -- a person's name; empty for nobody
    done    INTEGER,                        -- when it was answered or dismissed
    note    TEXT NOT NULL
) STRICT;
CREATE INDEX answers_open ON answers (praise, state, due);
CREATE INDEX answers_asked ON answers (asked);
