-- The configuration's spikes_most is called max_spikes.
UPDATE models SET config = replace(config, '"spikes_most":', '"max_spikes":');
