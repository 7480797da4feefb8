-- Mentions of a topic by day and hour of event time, so that a chart of a year is a few hundred rows. Always what
-- topic_mentions says; filled from it by the program.
CREATE TABLE days (
    topic INTEGER NOT NULL, day INTEGER NOT NULL,
    hours BLOB NOT NULL,                    -- 24 numbers of 32 bits, little-endian
    PRIMARY KEY (topic, day)
) STRICT, WITHOUT ROWID;
