-- Requests that carried an Idempotency-Key, and what each has made, for a day.
CREATE TABLE retries (
    key            TEXT    PRIMARY KEY,
    request_sha256 TEXT    NOT NULL, -- of method, path and body
    made           TEXT    NOT NULL, -- the id of a model, or of a run
    created_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX retries_by_created_at ON retries (created_at);
