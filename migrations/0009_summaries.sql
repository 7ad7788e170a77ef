-- What listings show, so that they need not read ranges of a million features, or as many names.
-- The config without the ranges of the encoder; NULL: the config is short enough.
ALTER TABLE models ADD COLUMN summary TEXT; -- JSON
ALTER TABLE models ADD COLUMN label_count INTEGER NOT NULL DEFAULT 0;
UPDATE models SET summary = json_remove(config, '$.encoder.x_min', '$.encoder.x_max')
WHERE CASE WHEN json_valid(config) THEN json_array_length(config, '$.encoder.x_min') > 16 END;
UPDATE models SET label_count = json_array_length(labels) WHERE json_valid(labels);
