-- Made by old_database.sh.
PRAGMA application_id = 1953329268;
PRAGMA user_version = 5;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
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
INSERT INTO models VALUES(1,'single','é','{"encoder":{"type":"gaussian_tuning","m":3,"n":2,"x_min":[0,0],"x_max":[9,9],"max_spike_time":50,"out_of_range":"silent"},"in_features":6,"out_features":3,"T":50,"tau":15,"tau_s":3.75,"v_threshold":1,"clock":"grid","seed":7}','["red","green","blue"]',3,1795914766716,1795914766900);
INSERT INTO models VALUES(2,'fitted','','{"encoder":{"type":"latency","scale":"linear","n":2,"max_spike_time":40,"out_of_range":"clamp"},"in_features":2,"out_features":3,"T":50,"tau":15,"tau_s":3.75,"v_threshold":1,"clock":"grid","seed":0}',NULL,2,1795914766737,1795914766914);
INSERT INTO models VALUES(3,'hidden','','{"encoder":{"type":"gaussian_tuning","m":3,"n":2,"x_min":[0,0],"x_max":[9,9],"max_spike_time":50,"out_of_range":"silent"},"in_features":6,"out_features":3,"neurons_per_class":2,"score_beta":5,"hidden":[4],"hidden_spike":"crossing","T":50,"tau":15,"tau_s":3.75,"v_threshold":1,"clock":"continuous","seed":5}',NULL,2,1795914766766,1795914766945);
INSERT INTO models VALUES(4,'counts','','{"in_features":3,"out_features":2,"T":100,"tau":15,"tau_s":3.75,"v_threshold":1,"clock":"continuous","read_out":"spike_count","spikes_most":7,"seed":3}',NULL,2,1795914766785,1795914766970);
INSERT INTO models VALUES(5,'diverging','','{"in_features":1,"out_features":2,"T":50,"tau":15,"tau_s":3.75,"v_threshold":1,"clock":"grid","seed":0}',NULL,1,1795914766799,1795914766799);
INSERT INTO models VALUES(6,'killed','','{"encoder":{"type":"gaussian_tuning","m":3,"n":2,"x_min":[0,0],"x_max":[9,9],"max_spike_time":50,"out_of_range":"silent"},"in_features":6,"out_features":3,"T":20000,"tau":15,"tau_s":3.75,"v_threshold":1,"clock":"grid","seed":1}','["red","green","blue"]',1,1795914766806,1795914766806);
INSERT INTO models VALUES(7,'waiting','','{"encoder":{"type":"gaussian_tuning","m":3,"n":2,"x_min":[0,0],"x_max":[9,9],"max_spike_time":50,"out_of_range":"silent"},"in_features":6,"out_features":3,"hidden":[3],"hidden_spike":"crossing","T":50,"tau":15,"tau_s":3.75,"v_threshold":1,"clock":"grid","seed":2}',NULL,1,1795914766821,1795914766821);
CREATE TABLE versions (
    model      INTEGER NOT NULL REFERENCES models (sequence) ON DELETE CASCADE,
    version    INTEGER NOT NULL CHECK (version >= 1),
    run        INTEGER,       -- that published it; NULL: created or imported
    sha256     TEXT NOT NULL, -- of its tensors' data, by position
    created_at INTEGER NOT NULL,
    PRIMARY KEY (model, version)
) STRICT, WITHOUT ROWID;
INSERT INTO versions VALUES(1,1,NULL,'373fa23cb56849a890d06f06bdea3fb08f88cc3089e0920403eaf6c78f74e879',1795914766716);
INSERT INTO versions VALUES(1,2,1,'fbf1028ef350d6a2aba44950d4e75e1885921cf8281680e6362bad16a44ece7d',1795914766875);
INSERT INTO versions VALUES(1,3,2,'88e8e65fe126fe8e99acf607620ff6570ec9bb651781b47742d03c22c7381fd4',1795914766900);
INSERT INTO versions VALUES(2,1,NULL,'3728acf6a5d88f03184a6f7e6258308afc1f68463cd3023c5ed9f57521e9ef5f',1795914766737);
INSERT INTO versions VALUES(2,2,3,'8ae5aa8362e81d1b9393537b385e93b7229210845b20ed3c3be2fe807da32da3',1795914766914);
INSERT INTO versions VALUES(3,1,NULL,'9f608b47ee7d493845d1e2553ac3a151c64f6cf6e85e590021aa1b2faec3a622',1795914766766);
INSERT INTO versions VALUES(3,2,4,'3fed2271145da792e7fd3209656b9642d19fffe19771560786f0e9bb0fdc9abe',1795914766945);
INSERT INTO versions VALUES(4,1,NULL,'961228f228b4bb43e4687b38be94552bc55f1f9cec0c7a7b9b3e2aaa4b9b2ce3',1795914766785);
INSERT INTO versions VALUES(4,2,5,'7f47682301d466ae1fef6308d73b4c4ac2d0a34d89a460e1281cd420ff8fc6ca',1795914766970);
INSERT INTO versions VALUES(5,1,NULL,'548c4ad842f136b6a19be78a76e5a2d1cb491c7eb653cdb5f09c85aeae36846a',1795914766799);
INSERT INTO versions VALUES(6,1,NULL,'0dcc53704d475b79ebd6557eec0a7130fb925bb9cdc5810c96bb5e81909fcfd5',1795914766806);
INSERT INTO versions VALUES(7,1,NULL,'03acebe00eeedd1e330bfff377dd455629ee0c1b70ba2a5918eea353b8f69b8e',1795914766821);
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
INSERT INTO tensors VALUES(1,1,0,'weight',3,6,X'7a96e93c12d47bbe9f1d053ebf2c033ea26f5fbe569f7abd37e774be76f1d83d6137e1bdafd8923ef661943ea0582a3de93832be4e8b75be87a337bdc84cebbd2842383eea7bb2be');
INSERT INTO tensors VALUES(2,1,0,'weight',3,2,X'2279adbb9c36c23eb1fc14bf1d3805bfd6708bbeab2a423e');
INSERT INTO tensors VALUES(3,1,0,'hidden_0',4,6,X'19159c3f1832793fabcfd83e37fdcb3f310ca33fc8620f3f681edf3f95a263befbe051bddbeb683f89be9c3eeb9c153f7648d63e6f038f3f24310e3cc9fe273e4c98e63e5542b03fc02de93eacb6663f6af23a3f84b964bee89e903fa908743e');
INSERT INTO tensors VALUES(3,1,1,'weight',6,4,X'091b853fc74f0a404551aebdda80543efbceacbe489d063d12ef033f64ef18c050d5bbbd4542463ee08812bfe4644dbf80ba41bd7d901d400c764ebe17654e40b7a839bf726b08bd82e49cbf65c2dd3f7cdc5cbfac2a69bee23b25c04678303d');
INSERT INTO tensors VALUES(4,1,0,'weight',2,3,X'968a12bfa530e9be03397dbe6fd50bbf154106bdf60702bf');
INSERT INTO tensors VALUES(5,1,0,'weight',2,1,X'9976967e997696fe');
INSERT INTO tensors VALUES(6,1,0,'weight',3,6,X'6367573e3b8438be0d16a2bdca37443e37c8c4bea6b57a3e6201acbdb1ad543e4e76683dd1bf4cbd3ee6e73dd7fba43caaae183ebee922be79d5f3bcd88a16bd845f723d3cc3d5ba');
INSERT INTO tensors VALUES(7,1,0,'hidden_0',3,6,X'ec381b3f703a873f04608a3c705a413fc771eb3f36998f3fa1e54f3ef30a4f3f0869d03e1b640b3fbeb7fd3e1683413fdbdbda3e9ea82e3f8d37643ee169053f8488ad3eaa493e3e');
INSERT INTO tensors VALUES(7,1,1,'weight',3,3,X'87f679bf5f368abf4b0cdd3f0b77e73fc92182bf8b62e0beb9b5e9bf8b5f593f53c5453f');
INSERT INTO tensors VALUES(1,2,0,'weight',3,6,X'1f97a53d99ef65be2c869a3ed62d993e2d3948be20714dbc37e774be1f525f3e1c807ebd8456ab3ea8cecd3ea0582a3de93832be4e8b75be87a337bdc84cebbd2842383eea7bb2be');
INSERT INTO tensors VALUES(1,3,0,'weight',3,6,X'1f97a53d99ef65be2c869a3ed62d993e2d3948be20714dbc37e774be5664623ee43772bd8adfac3ec357cf3ea0582a3de93832be4e8b75be87a337bdc84cebbd2842383eea7bb2be');
INSERT INTO tensors VALUES(2,2,0,'weight',3,2,X'2279adbb6c45c33eb1fc14bf1d3805bfd6708bbe2c8a433e');
INSERT INTO tensors VALUES(2,2,1,'encoder.x_min',1,2,X'0000803f0000803f');
INSERT INTO tensors VALUES(2,2,2,'encoder.x_max',1,2,X'0000004100000041');
INSERT INTO tensors VALUES(3,2,0,'hidden_0',4,6,X'692f483f768899c0007b1d3d24b59a3f765288c0f83ffb3d50358fbdaa957ec0570ac3be15f9273f6fee64c0a57c07c07450d63e21cb7ebf24310e3cc9fe273e4086a7bf4444b03fc02de93eb125d0406af23a3f84b964be4f62aa40a908743e');
INSERT INTO tensors VALUES(3,2,1,'weight',6,4,X'440247c001f1e3c1d74c8ec052767fc0fbceacbe489d063d12ef033f64ef18c0bad5bbbd6340463eee8812bff1644dbfddd652c252c118c2622657c26ce246c2127200c2726b08bd82e49cbfb4046ac27cdc5cbfac2a69bee23b25c07276303d');
INSERT INTO tensors VALUES(4,2,0,'weight',2,3,X'6863923cc95b203e9b0ecb3e061474be9ee21d3f778b253f');
CREATE TABLE samples (
    id       INTEGER PRIMARY KEY,
    sha256   TEXT    NOT NULL UNIQUE,
    kind     INTEGER NOT NULL CHECK (kind IN (0, 1)), -- x, in_spikes
    count    INTEGER NOT NULL CHECK (count > 0),
    features INTEGER NOT NULL CHECK (features > 0),
    data     BLOB    NOT NULL CHECK (length(data) = 4 * count * features), -- float32
    label    BLOB    NOT NULL CHECK (length(label) = 4 * count)            -- int32
, times BLOB, outputs INTEGER, counts BLOB CHECK (counts IS NULL OR length(counts) = 4 * count * outputs)) STRICT;
INSERT INTO samples VALUES(1,'099b11e79fc79d2d823afb7e423c3c7b3e16c49919b67aa79dfc9f39502f4dc7',0,4,2,X'000000410000803f0000e04000000040000090400000b0400000a0400000a040',X'01000000010000000200000002000000',NULL,NULL,NULL);
INSERT INTO samples VALUES(2,'a76739da7b0f25089b04a18940b4ef01a9a494593fba2c6b616df1b23be896ae',0,2,2,X'0000803f00000041000000400000f040',X'0000000000000000',NULL,NULL,NULL);
INSERT INTO samples VALUES(3,'82d446e374bac7fe27c7eba3bc3db04307e09f4d8aebd783d198599ac87974b2',0,6,2,X'0000803f00000041000000400000f040000000410000803f0000e040000000400000a0400000a040000090400000b040',X'000000000000000001000000010000000200000002000000',NULL,NULL,NULL);
INSERT INTO samples VALUES(4,'bff0b5a93ba9adf63e129b2d0f2c14b994775d7fb34bc1ac52b335d4d25c8610',1,3,3,X'020000000200000000000000000000000200000001000000010000000100000003000000',X'000000000000000000000000',X'00007041000096420000884100009a420000f04100007042000000420000a0400000c0400000e0400000004100001041',2,X'020000000000000000000000010000000100000003000000');
INSERT INTO samples VALUES(5,'f7595adb5dbf23de4d3dd92447cb0a45e1e895d0522f330716a399d0545a4a20',1,2,1,X'0000803f00000040',X'0000000001000000',NULL,NULL,NULL);
CREATE TABLE metrics (
    run                 INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    epoch               INTEGER NOT NULL CHECK (epoch >= 1),
    loss                REAL    NOT NULL,
    accuracy            REAL    NOT NULL,
    validation_loss     REAL,
    validation_accuracy REAL,
    PRIMARY KEY (run, epoch)
) STRICT, WITHOUT ROWID;
INSERT INTO metrics VALUES(1,1,0.65964506769989572632,0.33333333333333331482,NULL,NULL);
INSERT INTO metrics VALUES(1,2,0.57562999268384562601,0.33333333333333331482,NULL,NULL);
INSERT INTO metrics VALUES(1,3,0.51348603472091225441,0.33333333333333331482,NULL,NULL);
INSERT INTO metrics VALUES(1,4,0.46750853990442581276,0.33333333333333331482,NULL,NULL);
INSERT INTO metrics VALUES(2,1,0.55122971196091175016,0.5,0.19798466027396877109,0.0);
INSERT INTO metrics VALUES(2,2,0.55043140347699548442,0.5,0.19798466027396877109,0.0);
INSERT INTO metrics VALUES(2,3,0.54964121137759214263,0.5,0.19798466027396877109,0.0);
INSERT INTO metrics VALUES(3,1,0.73831275344009528183,0.33333333333333331482,NULL,NULL);
INSERT INTO metrics VALUES(3,2,0.73806960196753423897,0.33333333333333331482,NULL,NULL);
INSERT INTO metrics VALUES(3,3,0.73782671495410578899,0.33333333333333331482,NULL,NULL);
INSERT INTO metrics VALUES(3,4,0.73758410873106627914,0.33333333333333331482,NULL,NULL);
INSERT INTO metrics VALUES(3,5,0.73734178706031894279,0.33333333333333331482,NULL,NULL);
INSERT INTO metrics VALUES(4,1,5.7073922386829396558,0.33333333333333331482,5.1481979498995924515,0.33333333333333331482);
INSERT INTO metrics VALUES(4,2,5.1481979498995924515,0.33333333333333331482,0.98503931554949986093,0.0);
INSERT INTO metrics VALUES(4,3,0.98503931554949986093,0.0,25.626671470478566306,0.33333333333333331482);
INSERT INTO metrics VALUES(4,4,25.626671470478566306,0.33333333333333331482,1.0,0.33333333333333331482);
INSERT INTO metrics VALUES(5,1,1.1666666666666667406,0.33333333333333331482,NULL,NULL);
INSERT INTO metrics VALUES(5,2,1.1666666666666667406,0.33333333333333331482,NULL,NULL);
INSERT INTO metrics VALUES(5,3,1.1666666666666667406,0.33333333333333331482,NULL,NULL);
INSERT INTO metrics VALUES(5,4,1.1666666666666667406,0.33333333333333331482,NULL,NULL);
INSERT INTO metrics VALUES(5,5,1.1666666666666667406,0.33333333333333331482,NULL,NULL);
INSERT INTO metrics VALUES(5,6,1.1666666666666667406,0.33333333333333331482,NULL,NULL);
INSERT INTO metrics VALUES(5,7,1.1666666666666667406,0.33333333333333331482,NULL,NULL);
INSERT INTO metrics VALUES(5,8,1.0,0.5,NULL,NULL);
INSERT INTO metrics VALUES(5,9,0.83333333333333337034,0.5,NULL,NULL);
INSERT INTO metrics VALUES(5,10,0.83333333333333337034,0.5,NULL,NULL);
INSERT INTO metrics VALUES(5,11,0.5,0.66666666666666662965,NULL,NULL);
INSERT INTO metrics VALUES(5,12,0.5,0.66666666666666662965,NULL,NULL);
INSERT INTO metrics VALUES(7,1,0.66107096606208326505,0.0,NULL,NULL);
INSERT INTO metrics VALUES(7,2,0.65922215877567102992,0.0,NULL,NULL);
INSERT INTO metrics VALUES(7,3,0.65737906544714830303,0.0,NULL,NULL);
INSERT INTO metrics VALUES(7,4,0.65554161675884403681,0.0,NULL,NULL);
INSERT INTO metrics VALUES(7,5,0.6537098107409687886,0.0,NULL,NULL);
INSERT INTO metrics VALUES(7,6,0.65188365286564209366,0.0,NULL,NULL);
INSERT INTO metrics VALUES(7,7,0.65006310405124312357,0.0,NULL,NULL);
INSERT INTO metrics VALUES(7,8,0.64824812318423818968,0.0,NULL,NULL);
CREATE TABLE arrays (
    id       INTEGER PRIMARY KEY,
    dtype    TEXT    NOT NULL CHECK (dtype IN ('uint8', 'int8', 'int16', 'int32', 'int64', 'float32', 'float64')),
    count    INTEGER NOT NULL CHECK (count >= 0),
    features INTEGER NOT NULL CHECK (features > 0),
    bytes    INTEGER NOT NULL CHECK (bytes >= 0),
    sha256   TEXT -- of its values
) STRICT;
INSERT INTO arrays VALUES(1,'float32',6,2,48,'ea916606c3b3e5e4681016779b8fb7b3f58fb82c16af707a9c859b705816bcff');
INSERT INTO arrays VALUES(2,'int32',6,1,24,'36abcccb70604d0d22d2e88875a6e310414fa7a99b91b9b9be7854cbd90cd4ef');
CREATE TABLE chunks (
    array    INTEGER NOT NULL REFERENCES arrays (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    data     BLOB    NOT NULL,
    UNIQUE (array, position)
) STRICT;
INSERT INTO chunks VALUES(1,0,X'0000803f00000041000000400000f040000000410000803f0000e040000000400000a0400000a040000090400000b040');
INSERT INTO chunks VALUES(2,0,X'020000000200000001000000010000000000000000000000');
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
INSERT INTO datasets VALUES(1,'colours',1,2,3,'["blue","green","red"]','fba98e82fc3f51cf5b26b2c26c75128c74397f9272b0ba2f69dd1630af021a9e',1795914766838,1795914766838);
CREATE TABLE IF NOT EXISTS "runs" (
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
, best_epoch INTEGER) STRICT;
INSERT INTO runs VALUES(1,1,'succeeded',0,1,2,4,'{"epochs":4,"batch_size":64,"learning_rate":0.1,"learning_rate_schedule":"constant","optimizer":"sgd","momentum":0,"loss":"mse","shuffle":true,"seed":0}',NULL,1,'fba98e82fc3f51cf5b26b2c26c75128c74397f9272b0ba2f69dd1630af021a9e',NULL,NULL,NULL,NULL,NULL,1795914766860,1795914766862,1795914766875,NULL);
INSERT INTO runs VALUES(2,1,'succeeded',0,2,3,3,'{"epochs":3,"batch_size":64,"learning_rate":0.001,"learning_rate_schedule":"constant","optimizer":"adam","loss":"mse","shuffle":true,"seed":4,"validation_fraction":0.34}',1,NULL,'099b11e79fc79d2d823afb7e423c3c7b3e16c49919b67aa79dfc9f39502f4dc7',2,NULL,'a76739da7b0f25089b04a18940b4ef01a9a494593fba2c6b616df1b23be896ae',NULL,NULL,1795914766894,1795914766896,1795914766900,NULL);
INSERT INTO runs VALUES(3,2,'succeeded',0,1,2,5,'{"epochs":5,"batch_size":64,"learning_rate":0.001,"learning_rate_schedule":"constant","optimizer":"sgd","momentum":0,"loss":"mse","shuffle":true,"seed":0,"fit":true}',3,NULL,'82d446e374bac7fe27c7eba3bc3db04307e09f4d8aebd783d198599ac87974b2',NULL,NULL,NULL,NULL,NULL,1795914766913,1795914766913,1795914766914,NULL);
INSERT INTO runs VALUES(4,3,'succeeded',0,1,2,6,'{"epochs":6,"batch_size":64,"learning_rate":20,"learning_rate_schedule":"constant","optimizer":"sgd","momentum":0,"loss":"mse","silence_cost":1e-05,"slope_floor":4,"shuffle":true,"seed":0,"patience":2}',3,NULL,'82d446e374bac7fe27c7eba3bc3db04307e09f4d8aebd783d198599ac87974b2',3,NULL,'82d446e374bac7fe27c7eba3bc3db04307e09f4d8aebd783d198599ac87974b2',NULL,NULL,1795914766930,1795914766933,1795914766945,2);
INSERT INTO runs VALUES(5,4,'succeeded',0,1,2,12,'{"epochs":12,"batch_size":64,"learning_rate":0.1,"learning_rate_schedule":"constant","optimizer":"sgd","momentum":0,"shuffle":true,"seed":0}',4,NULL,'bff0b5a93ba9adf63e129b2d0f2c14b994775d7fb34bc1ac52b335d4d25c8610',NULL,NULL,NULL,NULL,NULL,1795914766957,1795914766960,1795914766970,NULL);
INSERT INTO runs VALUES(6,5,'failed',0,1,NULL,100,'{"epochs":100,"batch_size":64,"learning_rate":1000000,"learning_rate_schedule":"constant","optimizer":"sgd","momentum":0,"loss":"mse","shuffle":true,"seed":0}',5,NULL,'f7595adb5dbf23de4d3dd92447cb0a45e1e895d0522f330716a399d0545a4a20',NULL,NULL,NULL,'diverged','The loss or a weight is no longer finite. Nothing was published; try a smaller learning_rate.',1795914766981,1795914766986,1795914767000,NULL);
INSERT INTO runs VALUES(7,6,'running',0,1,NULL,40,'{"epochs":40,"batch_size":64,"learning_rate":0.001,"learning_rate_schedule":"constant","optimizer":"sgd","momentum":0,"loss":"mse","shuffle":true,"seed":0}',NULL,1,'fba98e82fc3f51cf5b26b2c26c75128c74397f9272b0ba2f69dd1630af021a9e',NULL,NULL,NULL,NULL,NULL,1795914767030,1795914767034,NULL,NULL);
INSERT INTO runs VALUES(8,7,'queued',0,NULL,NULL,7,'{"epochs":7,"batch_size":64,"learning_rate":0.001,"learning_rate_schedule":"constant","optimizer":"sgd","momentum":0,"loss":"mse","silence_cost":1e-05,"slope_floor":4,"shuffle":true,"seed":0,"patience":3}',3,NULL,'82d446e374bac7fe27c7eba3bc3db04307e09f4d8aebd783d198599ac87974b2',3,NULL,'82d446e374bac7fe27c7eba3bc3db04307e09f4d8aebd783d198599ac87974b2',NULL,NULL,1795914767073,NULL,NULL,NULL);
INSERT INTO runs VALUES(9,7,'cancelled',1,NULL,NULL,100,'{"epochs":100,"batch_size":64,"learning_rate":0.001,"learning_rate_schedule":"constant","optimizer":"sgd","momentum":0,"loss":"mse","silence_cost":1e-05,"slope_floor":4,"shuffle":true,"seed":0}',3,NULL,'82d446e374bac7fe27c7eba3bc3db04307e09f4d8aebd783d198599ac87974b2',NULL,NULL,NULL,NULL,NULL,1795914767111,NULL,1795914767128,NULL);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('models',7);
INSERT INTO sqlite_sequence VALUES('datasets',1);
INSERT INTO sqlite_sequence VALUES('runs',9);
CREATE INDEX datasets_by_x ON datasets (x);
CREATE INDEX datasets_by_label ON datasets (label);
CREATE INDEX runs_by_model ON runs (model, id);
CREATE INDEX runs_by_model_and_state ON runs (model, state, id);
CREATE INDEX runs_by_state ON runs (state, id);
CREATE INDEX runs_by_samples ON runs (samples);
CREATE INDEX runs_by_validation ON runs (validation);
CREATE INDEX runs_by_dataset ON runs (dataset);
CREATE INDEX runs_by_validation_dataset ON runs (validation_dataset);
COMMIT;
