-- The epoch whose weights a run with patience published, which need not be its last.
ALTER TABLE runs ADD COLUMN best_epoch INTEGER;
