-- The bytes that a run is counted with while it runs. Runs from before are counted with their samples as float32.
ALTER TABLE runs ADD COLUMN memory INTEGER NOT NULL DEFAULT 0 CHECK (memory >= 0);
UPDATE runs SET memory =
    ifnull((SELECT 4 * a.count * a.features FROM datasets d JOIN arrays a ON a.id = d.x WHERE d.sequence = runs.dataset), 0) +
    ifnull((SELECT 4 * a.count * a.features FROM datasets d JOIN arrays a ON a.id = d.x
            WHERE d.sequence = runs.validation_dataset), 0) +
    ifnull((SELECT 2 * length(s.data) FROM samples s WHERE s.id = runs.samples), 0) +
    ifnull((SELECT 2 * length(s.data) FROM samples s WHERE s.id = runs.validation), 0)
WHERE state IN ('queued', 'running');

-- Models take turns: the queue goes by `turn`, then by id. The n-th run of a model that waits has a turn n later than
-- the first.
ALTER TABLE runs ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
UPDATE runs SET turn = (SELECT count(*) FROM runs r WHERE r.model = runs.model AND r.state = 'queued' AND r.id <= runs.id)
WHERE state = 'queued';
CREATE INDEX runs_by_turn ON runs (state, turn, id);
