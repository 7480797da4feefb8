-- Mentions of a topic by hour of event time, a row a week, so that a chart of a year is some fifty rows. Always what
-- topic_mentions says; filled from it by the program.
CREATE TABLE hours (
    topic INTEGER NOT NULL, week INTEGER NOT NULL,      -- seven days each, counted from 1970-01-01
    counts BLOB NOT NULL,                               -- 168 numbers of 32 bits, little-endian
    PRIMARY KEY (topic, week)
) STRICT, WITHOUT ROWID;
