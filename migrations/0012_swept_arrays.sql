-- The bytes of a checkpoint go with it if they are few; more of them are deleted piece by piece, so that no other
-- change waits for that. They belong to nothing until then.
DROP TRIGGER checkpoints_take_their_bytes;
CREATE TRIGGER deleted_checkpoints_take_their_bytes AFTER DELETE ON checkpoints BEGIN
    DELETE FROM arrays WHERE id = OLD.array AND bytes <= 4194304;
END;
CREATE TRIGGER replaced_checkpoints_take_their_bytes AFTER UPDATE OF array ON checkpoints BEGIN
    DELETE FROM arrays WHERE id = OLD.array AND bytes <= 4194304;
END;
