-- More facts of a mention that queries ask for.
ALTER TABLE mentions ADD COLUMN verified INTEGER;
ALTER TABLE mentions ADD COLUMN kind TEXT NOT NULL DEFAULT '';
ALTER TABLE mentions ADD COLUMN channel TEXT NOT NULL DEFAULT '';
ALTER TABLE mentions ADD COLUMN country TEXT NOT NULL DEFAULT '';
ALTER TABLE mentions ADD COLUMN tags TEXT NOT NULL DEFAULT '';       -- one a line
ALTER TABLE mentions ADD COLUMN rating REAL;
