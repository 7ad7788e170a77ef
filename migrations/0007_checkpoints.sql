-- The state of a run's training, from which it goes on: bytes in chunks, like those of a dataset's
-- array. A running run has one once it has trained for a while, and an ended one may be continued
-- with it.
CREATE TABLE checkpoints (
    run   INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    array INTEGER NOT NULL REFERENCES arrays (id),
    epoch INTEGER NOT NULL CHECK (epoch >= 0) -- how many are done
) STRICT;
CREATE INDEX checkpoints_by_array ON checkpoints (array);
CREATE TRIGGER checkpoints_take_their_bytes AFTER DELETE ON checkpoints BEGIN
    DELETE FROM arrays WHERE id = OLD.array;
END;

-- Unclean ends of the process while the run was running, since it last got further or was stopped.
ALTER TABLE runs ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;
-- The run that it goes on from.
ALTER TABLE runs ADD COLUMN continues INTEGER;

-- The epoch after which a run kept the version, without serving it; NULL: the version is no such.
ALTER TABLE versions ADD COLUMN epoch INTEGER;
CREATE INDEX versions_by_run ON versions (run, epoch) WHERE epoch IS NOT NULL;
