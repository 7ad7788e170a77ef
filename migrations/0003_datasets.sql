-- Datasets: an array of samples and one of labels, uploaded once and named by runs; and runs that
-- keep the checksum of what they were trained on, whether or not the data is still there.

-- An array's values lie in chunks, row by row, little-endian. One without a checksum is being
-- uploaded, or its upload was broken off.
CREATE TABLE arrays (
    id       INTEGER PRIMARY KEY,
    dtype    TEXT    NOT NULL CHECK (dtype IN ('uint8', 'int8', 'int16', 'int32', 'int64', 'float32', 'float64')),
    count    INTEGER NOT NULL CHECK (count >= 0),
    features INTEGER NOT NULL CHECK (features > 0),
    bytes    INTEGER NOT NULL CHECK (bytes >= 0),
    sha256   TEXT -- of its values
) STRICT;

CREATE TABLE chunks (
    array    INTEGER NOT NULL REFERENCES arrays (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    data     BLOB    NOT NULL,
    UNIQUE (array, position)
) STRICT;

CREATE TABLE datasets (
    sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT    NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 63),
    x          INTEGER REFERENCES arrays (id),
    label      INTEGER REFERENCES arrays (id),
    classes    INTEGER, -- one more than the greatest label
    names      TEXT,    -- JSON array of the classes' names; NULL: labels are numbers
    sha256     TEXT,    -- of both arrays' checksums; NULL: one is missing
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX datasets_by_x ON datasets (x);
CREATE INDEX datasets_by_label ON datasets (label);

-- The runs as they were, but that samples or a dataset may be what they use.
CREATE TABLE new_runs (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    model              INTEGER NOT NULL REFERENCES models (sequence) ON DELETE CASCADE,
    state              TEXT    NOT NULL
        CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    cancel_requested   INTEGER NOT NULL DEFAULT 0 CHECK (cancel_requested IN (0, 1)),
    base_version       INTEGER, -- whose weights it starts from
    version            INTEGER, -- that it published
    epochs             INTEGER NOT NULL,
    params             TEXT    NOT NULL, -- JSON
    samples            INTEGER REFERENCES samples (id),
    dataset            INTEGER REFERENCES datasets (sequence) ON DELETE SET NULL,
    samples_sha256     TEXT    NOT NULL,
    validation         INTEGER REFERENCES samples (id),
    validation_dataset INTEGER REFERENCES datasets (sequence) ON DELETE SET NULL,
    validation_sha256  TEXT,
    error_code         TEXT,
    error_detail       TEXT,
    created_at         INTEGER NOT NULL,
    started_at         INTEGER,
    finished_at        INTEGER
) STRICT;

INSERT INTO new_runs (id, model, state, cancel_requested, base_version, version, epochs, params,
    samples, samples_sha256, validation, validation_sha256, error_code, error_detail, created_at,
    started_at, finished_at)
SELECT r.id, r.model, r.state, r.cancel_requested, r.base_version, r.version, r.epochs, r.params,
    r.samples, s.sha256, r.validation, v.sha256, r.error_code, r.error_detail, r.created_at,
    r.started_at, r.finished_at
FROM runs r JOIN samples s ON s.id = r.samples LEFT JOIN samples v ON v.id = r.validation;

-- Ids that were used are never used again.
DELETE FROM sqlite_sequence WHERE name = 'new_runs';
INSERT INTO sqlite_sequence (name, seq) SELECT 'new_runs', seq FROM sqlite_sequence WHERE name = 'runs';
DROP TABLE runs;
ALTER TABLE new_runs RENAME TO runs;

CREATE INDEX runs_by_model ON runs (model, id);
CREATE INDEX runs_by_model_and_state ON runs (model, state, id);
CREATE INDEX runs_by_state ON runs (state, id);
CREATE INDEX runs_by_samples ON runs (samples);
CREATE INDEX runs_by_validation ON runs (validation);
CREATE INDEX runs_by_dataset ON runs (dataset);
CREATE INDEX runs_by_validation_dataset ON runs (validation_dataset);
