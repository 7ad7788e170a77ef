/* store.c - the settings that every connection needs, and the writer's claim.
 *
 * Exactly one connection writes and checkpoints. SQLite's own locks would let a second tempotrond
 * write too, so the writer also has a claim for as long as it lives. */
#include "server/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/checksum.h"
#include "server/base/named_file.h"
#include "server/store/migrate.h"
#include "server/store/query.h"

enum { BUSY_TIMEOUT_MS = 5000 };
#define MIN_PAGES 1                   /* 0 would set no limit */
#define MAX_PAGES INT64_C(4294967294) /* SQLite has no larger database */

static const struct claim no_claim = {.lock = -1, .file = -1, .log = -1};

/* synchronous: what was answered survives a power loss.
 * secure_delete: Debian's SQLite overwrites whatever is deleted with zeros, and so writes a dataset
 * once more to delete it, with the writer's lock held. FAST overwrites only pages that are written
 * anyway: deleting 400 MB takes 0.4 s, in place of 4.5 s and 1.2 GB of writes.
 * journal_size_limit: what the log, once checkpointed, may keep of the disk. */
static const char writer_settings[] = "PRAGMA synchronous = FULL;"
                                      "PRAGMA secure_delete = FAST;"
                                      "PRAGMA journal_size_limit = 67108864;";

bool store_status_is_damage(enum store_status status)
{
    return status == STORE_CORRUPT || status == STORE_BROKEN;
}

const char *store_status_text(enum store_status status)
{
    static const char *const texts[] = {
        [STORE_OK] = "no error",
        [STORE_NOT_FOUND] = "not found",
        [STORE_TAKEN] = "the id is taken",
        [STORE_IN_USE] = "in use",
        [STORE_MISMATCH] = "the numbers of samples and labels differ",
        [STORE_OTHER_REQUEST] = "the key belongs to another request",
        [STORE_CHANGED] = "it was changed",
        [STORE_ENDED] = "the run has ended",
        [STORE_QUEUE_FULL] = "the queue is full",
        [STORE_MODEL_QUEUE_FULL] = "the model's queue is full",
        [STORE_NO_ROOM] = "the run waits for memory",
        [STORE_STOPPED] = "it was stopped",
        [STORE_NO_MEMORY] = "out of memory",
        [STORE_FULL] = "the disk is full",
        [STORE_UNAVAILABLE] = "it can't be opened, read or written",
        [STORE_LOCKED] = "another tempotrond uses it",
        [STORE_CORRUPT] = "what it holds is damaged",
        [STORE_BROKEN] = "it is damaged, or not a database",
        [STORE_NO_FILE] = "it is not a regular file",
        [STORE_NO_LOG_FILE] = "its -journal, -wal or -shm is not a regular file",
        [STORE_UNFINISHED] = "a write to it was cut off: open it once with sqlite3, which undoes "
                             "that by its -journal, or remove a -journal that is not its own",
        [STORE_FOREIGN] = "it is not a database of tempotrond",
        [STORE_NEWER] = "it was made by a newer tempotrond",
        [STORE_ALTERED] = "its tables, indices, views or triggers are not those that tempotrond "
                          "makes",
    };
    return texts[status];
}

/* sha256(value, ...) of SQL: the checksum of what its values are as texts, of which NULL is none.
 */
static void sql_sha256(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct checksum checksum;
    char text[CHECKSUM_TEXT];
    checksum_init(&checksum);
    for (int i = 0; i < count; i++) {
        const bool is_null = sqlite3_value_type(values[i]) == SQLITE_NULL;
        const unsigned char *value = sqlite3_value_text(values[i]);
        const int64_t size = is_null ? -1 : sqlite3_value_bytes(values[i]);
        if (value == NULL && !is_null) {
            sqlite3_result_error_nomem(context);
            return;
        }
        checksum_add(&checksum, &size, sizeof size);
        if (size > 0)
            checksum_add(&checksum, value, (size_t)size);
    }
    checksum_finish(&checksum, text);
    sqlite3_result_text(context, text, CHECKSUM_TEXT - 1, SQLITE_TRANSIENT);
}

static enum store_status configure(struct store *store)
{
    sqlite3_extended_result_codes(store->db, 1);
    sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    const enum store_status status = query_status(sqlite3_create_function(
        store->db, "sha256", -1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
        sql_sha256, NULL, NULL));
    return status == STORE_OK ? query_execute(store, "PRAGMA foreign_keys = ON") : status;
}

int store_system_error(const struct store *store)
{
    switch (sqlite3_errcode(store->db) & 0xff) {
    case SQLITE_READONLY:
        return EACCES;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
    case SQLITE_FULL:
        return sqlite3_system_errno(store->db);
    default:
        return 0;
    }
}

/* Closes a store that could not be opened; errno says why, if the system had a reason. */
static enum store_status give_up(struct store *store, enum store_status status)
{
    const int error = store_system_error(store);
    store_close(store);
    errno = error;
    return status;
}

/* SQLite opens the files beside the database by itself, and would wait for the other end of a pipe.
 */
static bool are_files_beside(const char *path)
{
    static const char *const endings[] = {"-journal", "-wal", "-shm"};
    bool are_files = true;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        char beside[PATH_MAX];
        struct stat about;
        snprintf(beside, sizeof beside, "%s%s", path, endings[i]);
        are_files = are_files && (stat(beside, &about) != 0 || S_ISREG(about.st_mode));
    }
    return are_files;
}

/* Becomes the owner of the claim. */
static enum store_status open_store(const char *path, int flags, struct claim take_claim,
                                    enum store_status (*set_up)(struct store *),
                                    struct store **ret_store)
{
    const bool are_files = are_files_beside(path);
    struct store *store = are_files ? calloc(1, sizeof *store) : NULL;
    if (store == NULL) {
        claim_release(&take_claim);
        return are_files ? STORE_NO_MEMORY : STORE_NO_LOG_FILE;
    }
    store->claim = take_claim;
    enum store_status status =
        query_status(sqlite3_open_v2(path, &store->db, flags | SQLITE_OPEN_NOMUTEX, NULL));
    if (status == STORE_OK)
        status = configure(store);
    if (status == STORE_OK)
        status = set_up(store);
    if (status != STORE_OK)
        return give_up(store, status);
    *ret_store = store;
    return STORE_OK;
}

/* If the file system can't do it, SQLite says so only in its answer. */
static enum store_status use_wal(struct store *store)
{
    struct query query = query_begin(store, "PRAGMA journal_mode = WAL");
    enum store_status status = query_next(&query);
    if (status != STORE_OK)
        return status;
    const char *mode = (const char *)sqlite3_column_text(query.statement, 0);
    if (mode == NULL || strcmp(mode, "wal") != 0)
        status = STORE_UNAVAILABLE;
    query_end(&query);
    return status;
}

static enum store_status set_up_nothing(struct store *store)
{
    (void)store;
    return STORE_OK;
}

/* Before anything of the file is used: a trigger or a view of another hand could change what the
 * server writes, or never end. */
static enum store_status check_schema(struct store *store, int64_t *ret_version)
{
    int64_t version;
    struct store *made;
    enum store_status status = migrate_check(store, &version);
    if (status == STORE_OK)
        status = open_store(":memory:", SQLITE_OPEN_READWRITE, no_claim, set_up_nothing, &made);
    if (status != STORE_OK)
        return status;
    status = migrate_database(made, 0, version);
    if (status == STORE_OK)
        status = migrate_compare(store, made);
    store_close(made);
    if (status == STORE_OK)
        *ret_version = version;
    return status;
}

static const char *log_of(const struct store *store)
{
    return sqlite3_filename_wal(sqlite3_db_filename(store->db, "main"));
}

/* SQLite makes the log when it first reads. */
static enum store_status watch_log(struct store *store)
{
    const enum store_status status = query_execute(store, "SELECT 1 FROM sqlite_schema");
    return status == STORE_OK ? claim_watch_log(&store->claim, log_of(store)) : status;
}

static enum store_status set_up_writer(struct store *store)
{
    int64_t version;
    enum store_status status = check_schema(store, &version);
    if (status == STORE_OK)
        status = use_wal(store);
    if (status == STORE_OK)
        status = query_execute(store, writer_settings);
    if (status == STORE_OK)
        status = migrate_database(store, version, migrate_newest());
    return status == STORE_OK ? watch_log(store) : status;
}

enum store_status store_open_writer(const char *path, struct store **ret_store)
{
    struct claim lock;
    const enum store_status status = claim_take(path, &lock);
    if (status != STORE_OK)
        return status;
    return open_store(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, lock, set_up_writer,
                      ret_store);
}

static enum store_status set_up_reader(struct store *store)
{
    return query_execute(store, "PRAGMA wal_autocheckpoint = 0");
}

enum store_status store_open_reader(const char *path, struct store **ret_store)
{
    return open_store(path, SQLITE_OPEN_READONLY, no_claim, set_up_reader, ret_store);
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    for (unsigned i = 0; i < store->statement_count; i++)
        sqlite3_finalize(store->statements[i].statement);
    sqlite3_close(store->db);
    claim_release(&store->claim);
    free(store);
}

static enum store_status set_up_copy(struct store *store)
{
    int64_t version;
    const enum store_status status = check_schema(store, &version);
    return status == STORE_OK && version == 0 ? STORE_FOREIGN : status; /* an empty file */
}

enum store_status store_open_copy(const char *path, struct store **ret_store)
{
    const int file = named_file_open(path, O_RDONLY, INT64_MAX);
    if (file < 0)
        return errno == 0 ? STORE_NO_FILE : STORE_UNAVAILABLE;
    close(file); /* before SQLite has locks on it */
    return open_store(path, SQLITE_OPEN_READONLY, no_claim, set_up_copy, ret_store);
}

bool store_is_in_place(const struct store *store)
{
    return claim_is_in_place(&store->claim, sqlite3_db_filename(store->db, "main"), log_of(store));
}

void store_keep_file(struct store *store)
{
    sqlite3_wal_autocheckpoint(store->db, 0);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

/* Pages that are free in the file are used first, so what is deleted makes room. */
enum store_status store_limit(struct store *store, size_t max_bytes)
{
    char limit[64];
    int64_t page;
    struct query query = query_begin(store, "PRAGMA page_size");
    const enum store_status status = query_number(&query, &page);
    if (status != STORE_OK)
        return status;
    const int64_t fit = (int64_t)max_bytes / page;
    const int64_t pages = fit < MIN_PAGES ? MIN_PAGES : fit > MAX_PAGES ? MAX_PAGES : fit;
    snprintf(limit, sizeof limit, "PRAGMA max_page_count = %lld", (long long)pages);
    return query_execute(store, limit);
}

enum store_status store_probe(struct store *store)
{
    char mark[64];
    snprintf(mark, sizeof mark, "PRAGMA application_id = %d", MIGRATE_APPLICATION_ID);
    enum store_status status = query_transaction_begin(store);
    if (status == STORE_OK)
        status = query_execute(store, mark);
    return query_transaction_end(store, status);
}

static int stops(void *stop_check)
{
    return stop_check_requested(stop_check);
}

void store_set_stop_check(struct store *store, const struct stop_check *stop_check)
{
    enum { STEPS_BETWEEN_CHECKS = 8 /* a row of some megabytes takes about as many */ };
    sqlite3_progress_handler(store->db, stop_check != NULL ? STEPS_BETWEEN_CHECKS : 0, stops,
                             (void *)(uintptr_t)stop_check);
}

enum store_status store_snapshot_begin(struct store *store)
{
    return query_execute(store, "BEGIN");
}

void store_snapshot_end(struct store *store)
{
    query_execute(store, "END");
}
