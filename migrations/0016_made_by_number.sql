-- What a request has made is noted by its number, which is never used again: a model's id may be another one's since.
CREATE TABLE new_retries (
    key            TEXT    PRIMARY KEY,
    request_sha256 TEXT    NOT NULL, -- of method, path and body
    made           INTEGER NOT NULL, -- the number of a model, or of a run
    created_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO new_retries (key, request_sha256, made, created_at)
SELECT key, request_sha256,
       coalesce((SELECT sequence FROM models m WHERE m.id = r.made AND m.created_at = r.created_at),
                (SELECT id FROM runs u WHERE CAST(u.id AS TEXT) = r.made AND u.created_at = r.created_at),
                0), -- it is deleted
       created_at
FROM retries r;
DROP TABLE retries;
ALTER TABLE new_retries RENAME TO retries;
CREATE INDEX retries_by_created_at ON retries (created_at);
