-- Checksums of what rows say and code believes, so that a damaged row is refused, not used; and of the part of it that
-- listings show.
ALTER TABLE models ADD COLUMN row_sha256 TEXT;
ALTER TABLE models ADD COLUMN listed_sha256 TEXT;
UPDATE models SET row_sha256 = sha256(sequence, id, config, labels),
    listed_sha256 = sha256(sequence, id, ifnull(summary, config), label_count, iif(label_count > 16, NULL, labels));

ALTER TABLE arrays ADD COLUMN row_sha256 TEXT; -- NULL until it is wholly written
UPDATE arrays SET row_sha256 = sha256(dtype, count, features, bytes, sha256) WHERE sha256 IS NOT NULL;

ALTER TABLE datasets ADD COLUMN row_sha256 TEXT;
ALTER TABLE datasets ADD COLUMN listed_sha256 TEXT;
UPDATE datasets SET row_sha256 = sha256(id, x, label, classes, names, sha256),
    listed_sha256 = sha256(id, x, label, classes, iif(classes <= 16, names, NULL), sha256);

-- Of what a run is asked for, which never changes.
ALTER TABLE runs ADD COLUMN row_sha256 TEXT;
UPDATE runs SET row_sha256 = sha256(model, continues, epochs, params, samples_sha256, validation_sha256);
