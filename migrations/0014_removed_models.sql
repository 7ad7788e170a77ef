-- The weights of a deleted model go piece by piece, so that no other change waits for that. Until then its versions
-- belong to no model, and its number is noted here.
CREATE TABLE removed_models (model INTEGER PRIMARY KEY) STRICT;

-- The versions as they were, except that they may outlive their model.
CREATE TABLE new_versions (
    model      INTEGER NOT NULL,
    version    INTEGER NOT NULL CHECK (version >= 1),
    run        INTEGER,       -- that published it; NULL: created or imported
    sha256     TEXT NOT NULL, -- of its tensors' data, by position
    created_at INTEGER NOT NULL,
    epoch      INTEGER,       -- after which a run kept it, without serving it; NULL: it is no such version
    drawn      INTEGER NOT NULL DEFAULT 0 CHECK (drawn IN (0, 1)), -- its tensors follow from the model's seed
    PRIMARY KEY (model, version)
) STRICT, WITHOUT ROWID;
INSERT INTO new_versions (model, version, run, sha256, created_at, epoch, drawn)
SELECT model, version, run, sha256, created_at, epoch, drawn FROM versions;
DROP TABLE versions;
ALTER TABLE new_versions RENAME TO versions;
CREATE INDEX versions_by_run ON versions (run, epoch) WHERE epoch IS NOT NULL;
