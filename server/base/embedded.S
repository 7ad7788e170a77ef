/* Files that are part of the binary, as embedded.h declares them. Paths are relative to the top of
 * the project. */

.macro embed name, path
    .section .rodata
    .balign 16
text_\name:
    .incbin "\path"
end_\name:
    .byte 0
.endm

/* A struct embedded. */
.macro describe name
    .quad text_\name
    .quad end_\name - text_\name
.endm

embed openapi, "openapi.yaml"
embed migration_0001, "migrations/0001_initial.sql"
embed migration_0002, "migrations/0002_spike_trains.sql"
embed migration_0003, "migrations/0003_datasets.sql"
embed migration_0004, "migrations/0004_counts.sql"
embed migration_0005, "migrations/0005_best_epoch.sql"
embed migration_0006, "migrations/0006_max_spikes.sql"
embed migration_0007, "migrations/0007_checkpoints.sql"
embed migration_0008, "migrations/0008_run_memory.sql"
embed migration_0009, "migrations/0009_summaries.sql"
embed migration_0010, "migrations/0010_drawn_weights.sql"
embed migration_0011, "migrations/0011_row_checksums.sql"
embed migration_0012, "migrations/0012_swept_arrays.sql"
embed migration_0013, "migrations/0013_retries.sql"
embed migration_0014, "migrations/0014_removed_models.sql"
embed migration_0015, "migrations/0015_removed_runs.sql"
embed migration_0016, "migrations/0016_made_by_number.sql"

    .section .data.rel.ro, "aw"
    .balign 16
    .global embedded_openapi
embedded_openapi:
    describe openapi
    .global embedded_migrations
embedded_migrations:
    describe migration_0001
    describe migration_0002
    describe migration_0003
    describe migration_0004
    describe migration_0005
    describe migration_0006
    describe migration_0007
    describe migration_0008
    describe migration_0009
    describe migration_0010
    describe migration_0011
    describe migration_0012
    describe migration_0013
    describe migration_0014
    describe migration_0015
    describe migration_0016
end_migrations:

    .section .rodata
    .balign 8
    .global embedded_migrations_count
embedded_migrations_count:
    .quad (end_migrations - embedded_migrations) / 16

    .section .note.GNU-stack, "", @progbits
