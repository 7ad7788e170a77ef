-- Samples of several spikes an afferent: `times` holds all their spike times (float32), and `data`
-- how many each afferent has (uint32), instead of one spike time. Their kind is 1, in_spikes.
ALTER TABLE samples ADD COLUMN times BLOB;
