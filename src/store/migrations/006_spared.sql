-- Mentions past their time that are kept for now, as evidence of an incident; looked at again.
CREATE TABLE spared (mention INTEGER PRIMARY KEY) STRICT;
