-- Samples of which models learn how often each of their outputs is to fire: `counts` holds that
-- (uint32, count rows of `outputs`), and `label`, which they have none of, is all 0.
ALTER TABLE samples ADD COLUMN outputs INTEGER;
ALTER TABLE samples ADD COLUMN counts BLOB CHECK (counts IS NULL OR length(counts) = 4 * count * outputs);
