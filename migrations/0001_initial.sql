-- Models, their versions, and the runs that make them. Times are milliseconds since 1970 UTC.

CREATE TABLE models (
    sequence    INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT    NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 63),
    description TEXT    NOT NULL,
    config      TEXT    NOT NULL, -- JSON
    labels      TEXT, -- JSON
    version     INTEGER NOT NULL CHECK (version >= 1), -- the one served
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE versions (
    model      INTEGER NOT NULL REFERENCES models (sequence) ON DELETE CASCADE,
    version    INTEGER NOT NULL CHECK (version >= 1),
    run        INTEGER,       -- that published it; NULL: created or imported
    sha256     TEXT NOT NULL, -- of its tensors' data, by position
    created_at INTEGER NOT NULL,
    PRIMARY KEY (model, version)
) STRICT, WITHOUT ROWID;

-- Named matrices of little-endian float32, row by row.
CREATE TABLE tensors (
    model    INTEGER NOT NULL,
    version  INTEGER NOT NULL,
    position INTEGER NOT NULL,
    name     TEXT    NOT NULL,
    rows     INTEGER NOT NULL CHECK (rows > 0),
    columns  INTEGER NOT NULL CHECK (columns > 0),
    data     BLOB    NOT NULL CHECK (length(data) = 4 * rows * columns),
    PRIMARY KEY (model, version, position),
    FOREIGN KEY (model, version) REFERENCES versions (model, version) ON DELETE CASCADE
) STRICT;

-- What runs train on and are validated on. Equal samples are one row, however many runs use them.
CREATE TABLE samples (
    id       INTEGER PRIMARY KEY,
    sha256   TEXT    NOT NULL UNIQUE,
    kind     INTEGER NOT NULL CHECK (kind IN (0, 1)), -- x, in_spikes
    count    INTEGER NOT NULL CHECK (count > 0),
    features INTEGER NOT NULL CHECK (features > 0),
    data     BLOB    NOT NULL CHECK (length(data) = 4 * count * features), -- float32
    label    BLOB    NOT NULL CHECK (length(label) = 4 * count)            -- int32
) STRICT;

-- The queue of runs, and their history.
CREATE TABLE runs (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    model            INTEGER NOT NULL REFERENCES models (sequence) ON DELETE CASCADE,
    state            TEXT    NOT NULL
        CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    cancel_requested INTEGER NOT NULL DEFAULT 0 CHECK (cancel_requested IN (0, 1)),
    base_version     INTEGER, -- whose weights it starts from
    version          INTEGER, -- that it published
    epochs           INTEGER NOT NULL,
    params           TEXT    NOT NULL, -- JSON
    samples          INTEGER NOT NULL REFERENCES samples (id),
    validation       INTEGER REFERENCES samples (id),
    error_code       TEXT,
    error_detail     TEXT,
    created_at       INTEGER NOT NULL,
    started_at       INTEGER,
    finished_at      INTEGER
) STRICT;
CREATE INDEX runs_by_model ON runs (model, id);
CREATE INDEX runs_by_model_and_state ON runs (model, state, id);
CREATE INDEX runs_by_state ON runs (state, id);
CREATE INDEX runs_by_samples ON runs (samples);
CREATE INDEX runs_by_validation ON runs (validation);

CREATE TABLE metrics (
    run                 INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    epoch               INTEGER NOT NULL CHECK (epoch >= 1),
    loss                REAL    NOT NULL,
    accuracy            REAL    NOT NULL,
    validation_loss     REAL,
    validation_accuracy REAL,
    PRIMARY KEY (run, epoch)
) STRICT, WITHOUT ROWID;
