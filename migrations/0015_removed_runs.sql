-- The metrics of a deleted run, of which there may be 100,000 epochs, go piece by piece like the weights of a model.
-- Until then they belong to no run, and its number is noted here.
CREATE TABLE removed_runs (run INTEGER PRIMARY KEY) STRICT;

-- The metrics as they were, except that they may outlive their run.
CREATE TABLE new_metrics (
    run                 INTEGER NOT NULL,
    epoch               INTEGER NOT NULL CHECK (epoch >= 1),
    loss                REAL    NOT NULL,
    accuracy            REAL    NOT NULL,
    validation_loss     REAL,
    validation_accuracy REAL,
    PRIMARY KEY (run, epoch)
) STRICT, WITHOUT ROWID;
INSERT INTO new_metrics (run, epoch, loss, accuracy, validation_loss, validation_accuracy)
SELECT run, epoch, loss, accuracy, validation_loss, validation_accuracy FROM metrics;
DROP TABLE metrics;
ALTER TABLE new_metrics RENAME TO metrics;

CREATE TRIGGER deleted_runs_are_noted AFTER DELETE ON runs BEGIN
    INSERT OR IGNORE INTO removed_runs (run) SELECT OLD.id WHERE EXISTS (SELECT 1 FROM metrics WHERE run = OLD.id);
END;
