#include "server/store/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/embedded.h"
#include "server/store/arrays.h"
#include "server/store/checkpoints.h"
#include "server/store/datasets.h"
#include "server/store/migrate.h"
#include "server/store/models.h"
#include "server/store/query.h"
#include "server/store/runs.h"
#include "server/store/samples.h"

/* --- copying --- */

static bool sync_path(const char *path, int flags)
{
    const int file = open(path, flags | O_CLOEXEC);
    const bool is_synced = file >= 0 && fsync(file) == 0;
    if (file >= 0)
        close(file);
    return is_synced;
}

static bool sync_directory_of(const char *path)
{
    char *copy = strdup(path);
    const bool is_synced = copy != NULL && sync_path(dirname(copy), O_RDONLY | O_DIRECTORY);
    free(copy);
    return is_synced;
}

/* To SQLite, only ENOSPC is a full disk. */
static bool has_no_room(struct store *store)
{
    const int error = sqlite3_system_errno(store->db);
    return error == EDQUOT || error == EFBIG;
}

/* The file is absent or empty. */
static enum store_status copy_to(struct store *store, const char *file)
{
    struct query query = query_begin(store, "VACUUM INTO ?");
    query_text(&query, file);
    const enum store_status status = query_run(&query);
    return status == STORE_UNAVAILABLE && has_no_room(store) ? STORE_FULL : status;
}

/* SQLite syncs no file that VACUUM makes. */
static enum store_status copy_durably(struct store *store, const char *file)
{
    const enum store_status status = copy_to(store, file);
    return status == STORE_OK && !sync_path(file, O_RDWR) ? STORE_UNAVAILABLE : status;
}

enum store_status store_backup(struct store *store, const char *file)
{
    char *part;
    if (access(file, F_OK) == 0)
        return STORE_TAKEN;
    if (asprintf(&part, "%s.part", file) < 0)
        return STORE_NO_MEMORY;
    unlink(part);
    enum store_status status = copy_durably(store, part);
    if (status == STORE_OK && (rename(part, file) != 0 || !sync_directory_of(file)))
        status = STORE_UNAVAILABLE;
    if (status != STORE_OK)
        unlink(part);
    free(part);
    return status;
}

/* One name for each database, so that what a crash has left is known; NULL: no memory. */
static char *name_of_open_copy(const char *path)
{
    char *name;
    return asprintf(&name, "%s.copy", path) >= 0 ? name : NULL;
}

static enum store_status copy_unless_stopped(struct store *store, const char *file,
                                             const struct stop_check *stop_check)
{
    store_set_stop_check(store, stop_check);
    const enum store_status status = copy_to(store, file);
    store_set_stop_check(store, NULL);
    return status;
}

/* SQLite opens a file only by a name, so the copy has one until it is whole. */
enum store_status store_backup_open(struct store *store, const struct stop_check *stop_check,
                                    int *ret_file)
{
    char *name = name_of_open_copy(sqlite3_db_filename(store->db, "main"));
    if (name == NULL)
        return STORE_NO_MEMORY;
    unlink(name);
    enum store_status status = copy_unless_stopped(store, name, stop_check);
    const int file = status == STORE_OK ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    unlink(name);
    free(name);
    if (status == STORE_OK && file < 0)
        status = STORE_UNAVAILABLE;
    if (status == STORE_OK)
        *ret_file = file;
    return status;
}

enum store_status store_backup_sweep(const char *path)
{
    char *name = name_of_open_copy(path);
    if (name == NULL)
        return STORE_NO_MEMORY;
    unlink(name);
    free(name);
    return STORE_OK;
}

/* --- checking --- */

struct check {
    struct store *store;
    const struct store_backup_checker *checker;
};

static void tell(const struct check *check, const char *what, const char *why)
{
    check->checker->found(check->checker->context, what, why);
}

/* A failure that is not damage ends the check. */
static enum store_status judge(const struct check *check, enum store_status status,
                               const char *kind, const char *name, const char *why)
{
    char what[128];
    if (!store_status_is_damage(status) && status != STORE_NOT_FOUND)
        return status;
    snprintf(what, sizeof what, "%s %s", kind, name);
    tell(check, what, why);
    return STORE_OK;
}

/* Each row of a question is a fault: what is damaged, and why. */
static enum store_status check_rows(const struct check *check, const char *sql)
{
    enum store_status status;
    struct query query = query_begin(check->store, sql);
    while ((status = query_next(&query)) == STORE_OK) {
        const char *what = (const char *)sqlite3_column_text(query.statement, 0);
        const char *why = (const char *)sqlite3_column_text(query.statement, 1);
        tell(check, what != NULL ? what : "a row", why != NULL ? why : "it is damaged");
    }
    return status == STORE_NOT_FOUND ? STORE_OK : status;
}

static enum store_status check_array(const struct check *check, const struct array_record *array)
{
    void *values = NULL;
    if (array->id == 0)
        return STORE_OK;
    const enum store_status status = store_array_load(check->store, array, &values);
    free(values);
    return status;
}

static enum store_status check_model(const struct check *check, const char *id)
{
    struct model_record record = {0};
    const enum store_status status = store_model_find(check->store, id, &record);
    model_record_finish(&record);
    return judge(check, status, "model", id, "its row is damaged");
}

static enum store_status check_dataset(const struct check *check, const char *id)
{
    struct dataset_record record = {0};
    enum store_status status = store_dataset_find(check->store, id, &record);
    if (status == STORE_OK)
        status = check_array(check, &record.x);
    if (status == STORE_OK)
        status = check_array(check, &record.label);
    dataset_record_finish(&record);
    return judge(check, status, "dataset", id, "its row or its values are damaged");
}

static enum store_status check_samples(const struct check *check, const char *id)
{
    struct samples samples = {0};
    const enum store_status status =
        store_samples_find(check->store, strtoll(id, NULL, 10), &samples);
    samples_finish(&samples);
    return judge(check, status, "samples", id, "they are damaged");
}

static enum store_status check_run(const struct check *check, const char *id)
{
    struct run_record record = {0};
    struct checkpoint_record checkpoint;
    const int64_t run = strtoll(id, NULL, 10);
    enum store_status status = store_run_find(check->store, run, &record);
    run_record_finish(&record);
    if (status == STORE_OK) {
        status = store_checkpoint_find(check->store, run, &checkpoint);
        status = status == STORE_NOT_FOUND ? STORE_OK : status;
    }
    return judge(check, status, "run", id, "its row or its checkpoint is damaged");
}

/* "3 of model iris" */
static enum store_status check_version(const struct check *check, const char *name)
{
    char model[LIMIT_ID + 1];
    long long version;
    if (sscanf(name, "%lld of model %63s", &version, model) != 2)
        return judge(check, STORE_CORRUPT, "version", name, "its name is damaged");
    const enum store_status status = check->checker->try_version(check->store, model, version);
    return judge(check, status, "version", name, "its weights are damaged");
}

static enum store_status check_each(const struct check *check, const char *sql,
                                    enum store_status (*one)(const struct check *, const char *))
{
    enum store_status status;
    struct query query = query_begin(check->store, sql);
    while ((status = query_next(&query)) == STORE_OK) {
        const char *text = (const char *)sqlite3_column_text(query.statement, 0);
        status = text != NULL ? one(check, text) : STORE_NO_MEMORY;
        if (status == STORE_OK)
            continue;
        query_end(&query);
        return status;
    }
    return status == STORE_NOT_FOUND ? STORE_OK : status;
}

/* Rows got their checksums with the newest schema. */
static bool is_old(struct store *store)
{
    int64_t version;
    return migrate_check(store, &version) != STORE_OK || version < migrate_newest();
}

static const char pages[] = "SELECT 'pages', integrity_check FROM pragma_integrity_check WHERE "
                            "integrity_check <> 'ok'";

static const char *const faults[] = {
    "SELECT 'references', \"table\" FROM pragma_foreign_key_check",
    "SELECT 'version ' || version || ' of model number ' || model, 'there is no such model' FROM "
    "versions WHERE model NOT IN (SELECT sequence FROM models) AND model NOT IN (SELECT model FROM "
    "removed_models)",
    "SELECT 'metrics of run ' || run, 'there is no such run' FROM metrics WHERE run NOT IN (SELECT "
    "id FROM runs) AND run NOT IN (SELECT run FROM removed_runs) GROUP BY run",
    "SELECT DISTINCT 'version ' || version || ' of model number ' || model, 'it has weights that "
    "should follow from the seed' FROM tensors JOIN versions USING (model, version) WHERE drawn",
    "SELECT 'model ' || id, 'it serves a version that it does not have' FROM models m WHERE NOT "
    "EXISTS (SELECT 1 FROM versions v WHERE v.model = m.sequence AND v.version = m.version)",
    "SELECT 'model ' || id, 'it is there and noted as deleted' FROM models JOIN removed_models ON "
    "model = sequence",
    "SELECT 'run ' || id, 'it is there and noted as deleted' FROM runs JOIN removed_runs ON run = "
    "id",
    "SELECT 'run ' || r.id, 'its samples are others' FROM runs r JOIN samples s ON s.id = "
    "r.samples WHERE s.sha256 <> r.samples_sha256 UNION ALL SELECT 'run ' || r.id, 'the samples "
    "that validate it are others' FROM runs r JOIN samples s ON s.id = r.validation WHERE "
    "s.sha256 IS NOT r.validation_sha256",
};

/* Damage of the pages may break off every further question. */
static enum store_status check_all(const struct check *check)
{
    static const struct {
        const char *sql;
        enum store_status (*one)(const struct check *, const char *);
    } rows[] = {
        {"SELECT id FROM models", check_model},
        {"SELECT v.version || ' of model ' || m.id FROM versions v JOIN models m ON m.sequence = "
         "v.model",
         check_version},
        {"SELECT id FROM datasets", check_dataset},
        {"SELECT CAST(id AS TEXT) FROM samples", check_samples},
        {"SELECT CAST(id AS TEXT) FROM runs", check_run},
    };
    enum store_status status = check_rows(check, pages);
    if (status == STORE_OK && is_old(check->store))
        return STORE_OK;
    for (size_t i = 0; status == STORE_OK && i < sizeof faults / sizeof *faults; i++)
        status = check_rows(check, faults[i]);
    for (size_t i = 0; status == STORE_OK && i < sizeof rows / sizeof *rows; i++)
        status = check_each(check, rows[i].sql, rows[i].one);
    return status;
}

/* A server may write meanwhile. */
enum store_status store_backup_check(struct store *store,
                                     const struct store_backup_checker *checker)
{
    const struct check check = {store, checker};
    enum store_status status = store_snapshot_begin(store);
    if (status == STORE_OK)
        status = check_all(&check);
    const int error = store_system_error(store);
    store_snapshot_end(store);
    errno = error;
    return status;
}

/* --- restoring --- */

static enum store_status copy_file(const char *file, const char *new)
{
    struct store *store;
    enum store_status status = store_open_copy(file, &store);
    if (status != STORE_OK)
        return status;
    status = store_backup(store, new);
    store_close(store);
    return status;
}

static bool move(const char *path, const char *aside, const char *part)
{
    char *from = NULL, *to = NULL;
    const bool has_names =
        asprintf(&from, "%s%s", path, part) >= 0 && asprintf(&to, "%s%s", aside, part) >= 0;
    const bool is_moved = has_names && (rename(from, to) == 0 || errno == ENOENT);
    free(from);
    free(to);
    return is_moved;
}

/* What SQLite has written beside the old database goes with it: it would take that for a part of
 * the new one. No other server can come between, since the lock is held. */
static enum store_status put_aside(const char *path, const char *aside, bool has_database)
{
    static const char *const parts[] = {"-wal", "-shm", "-journal"};
    if (access(aside, F_OK) == 0)
        return STORE_TAKEN;
    bool is_moved = !has_database || move(path, aside, "");
    for (size_t i = 0; is_moved && i < sizeof parts / sizeof *parts; i++)
        is_moved = move(path, aside, parts[i]);
    return is_moved ? STORE_OK : STORE_UNAVAILABLE;
}

/* `path` is no link. */
static enum store_status replace(const char *file, const char *path, const char *aside,
                                 bool has_database)
{
    char *new;
    if (asprintf(&new, "%s.new", path) < 0)
        return STORE_NO_MEMORY;
    unlink(new);
    enum store_status status = copy_file(file, new);
    if (status == STORE_OK)
        status = put_aside(path, aside, has_database);
    if (status == STORE_OK && (rename(new, path) != 0 || !sync_directory_of(path)))
        status = STORE_UNAVAILABLE;
    if (status != STORE_OK)
        unlink(new);
    free(new);
    return status;
}

enum store_status store_backup_restore(const char *file, const char *path, const char *suffix,
                                       char **ret_aside)
{
    struct claim claim;
    char *aside = NULL;
    enum store_status status = claim_take(path, &claim);
    if (status != STORE_OK)
        return status;
    const bool has_database = !claim_is_empty(&claim); /* else the claim may have made it */
    char *real = realpath(path, NULL);
    if (real == NULL)
        status = STORE_UNAVAILABLE;
    else if (asprintf(&aside, "%s%s", real, suffix) < 0)
        status = STORE_NO_MEMORY;
    else
        status = replace(file, real, aside, has_database);
    claim_release(&claim);
    free(real);
    if (status == STORE_OK && has_database)
        *ret_aside = aside;
    else
        free(aside);
    return status;
}
