-- Weights that were drawn by the model's seed follow from it: such a version has no tensors, but their checksum.
ALTER TABLE versions ADD COLUMN drawn INTEGER NOT NULL DEFAULT 0 CHECK (drawn IN (0, 1));
