/* Databases of each earlier version, which are brought up to date when they are opened. See also
 * test_old_database.c. */
#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/embedded.h"
#include "server/store/query.h"
#include "tests/support/stored.h"
#include "tests/support/suite.h"

/* Two models, and runs in every state. The newest run was of a model that is gone. */
static const char second_database[] =
    "PRAGMA foreign_keys = ON;"
    "INSERT INTO models VALUES (1, 'iris', 'd', '{\"a\": 1}', '[\"x\"]', 2, 10, 20),"
    " (2, 'wine', '', '{}', NULL, 1, 30, 40), (3, 'gone', '', '{}', NULL, 1, 50, 60);"
    "INSERT INTO versions VALUES (1, 1, NULL, 'aa', 10), (1, 2, 2, 'bb', 11), (2, 1, NULL, 'cc', "
    "30);"
    "INSERT INTO tensors VALUES (1, 1, 0, 'weight', 1, 1, x'00000000'),"
    " (1, 2, 0, 'weight', 1, 1, x'0000803f');"
    "INSERT INTO samples VALUES (1, 'sum-1', 0, 1, 1, x'00000000', x'00000000', NULL),"
    " (2, 'sum-2', 1, 1, 2, x'0100000002000000', x'01000000', x'0000803f0000803f0000803f'),"
    " (3, 'sum-3', 0, 1, 1, x'0000803f', x'00000000', NULL);"
    "INSERT INTO runs VALUES"
    " (2, 1, 'succeeded', 0, 1, 2, 5, '{\"seed\": 1}', 1, 2, NULL, NULL, 100, 101, 102),"
    " (3, 1, 'failed', 0, 2, NULL, 6, '{}', 2, NULL, 'diverged', 'so', 103, 104, 105),"
    " (5, 2, 'cancelled', 1, NULL, NULL, 7, '{}', 1, NULL, NULL, NULL, 106, NULL, 107),"
    " (6, 2, 'running', 0, 1, NULL, 8, '{}', 3, 1, NULL, NULL, 108, 109, NULL),"
    " (7, 2, 'queued', 0, NULL, NULL, 9, '{}', 3, NULL, NULL, NULL, 110, NULL, NULL),"
    " (41, 3, 'succeeded', 0, NULL, NULL, 9, '{}', 3, NULL, NULL, NULL, 111, 112, 113);"
    "INSERT INTO metrics VALUES (2, 1, 0.5, 0.25, NULL, NULL), (2, 2, 0.4, 0.5, 0.3, 0.75),"
    " (6, 1, 1, 0, NULL, NULL), (41, 1, 1, 1, NULL, NULL);"
    "DELETE FROM models WHERE id = 'gone';";

/* The rows of a query as text. */
static char *rows_of(const char *sql)
{
    sqlite3 *db;
    char **cells, *text = NULL;
    int rows, columns;
    size_t size;
    ck_assert_int_eq(sqlite3_open(store_path, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_get_table(db, sql, &cells, &rows, &columns, NULL) == SQLITE_OK, "%s: %s",
                  sql, sqlite3_errmsg(db));
    FILE *stream = open_memstream(&text, &size);
    for (int i = columns; i < (rows + 1) * columns; i++)
        fprintf(stream, "%s%c", cells[i] != NULL ? cells[i] : "NULL",
                (i + 1) % columns == 0 ? '\n' : '|');
    fclose(stream);
    sqlite3_free_table(cells);
    sqlite3_close(db);
    return text;
}

static void make_second_database(void)
{
    store_remove();
    run_sql("PRAGMA user_version = 0");
    run_sql(embedded_migrations[0].text);
    run_sql(embedded_migrations[1].text);
    run_sql("PRAGMA application_id = 1953329268; PRAGMA user_version = 2");
    run_sql(second_database);
}

START_TEST(a_first_database_is_brought_up_to_date)
{
    store_remove();
    run_sql(embedded_migrations[0].text);
    run_sql("PRAGMA application_id = 1953329268; PRAGMA user_version = 1"); /* "tmpt" */
    store_reopen();
    ck_assert_int_eq(store_number(store, "PRAGMA user_version"),
                     (int64_t)embedded_migrations_count);
    insert_model("iris");
}
END_TEST

START_TEST(the_third_migration_keeps_all_that_was_there)
{
    static const char *const queries[] = {
        "SELECT sequence, id, description, config, labels, version, created_at, updated_at FROM "
        "models ORDER BY sequence",
        "SELECT model, version, run, sha256, created_at FROM versions ORDER BY model, version",
        "SELECT model, version, position, name, rows, columns, hex(data) FROM tensors ORDER BY 1, "
        "2, 3",
        "SELECT id, sha256, kind, count, features, hex(data), hex(label), hex(times) FROM samples "
        "ORDER BY id",
        "SELECT id, model, state, cancel_requested, base_version, version, epochs, params, samples,"
        " validation, error_code, error_detail, created_at, started_at, finished_at FROM runs "
        "ORDER BY id",
        "SELECT * FROM metrics ORDER BY run, epoch",
    };
    enum { QUERIES = sizeof queries / sizeof *queries };
    char *before[QUERIES];
    make_second_database();
    for (int i = 0; i < QUERIES; i++)
        before[i] = rows_of(queries[i]);
    ck_assert_ptr_nonnull(strstr(before[4], "6|2|running|0|1|NULL|8|{}|3|1|NULL|NULL|108|109|"));
    store_reopen();
    for (int i = 0; i < QUERIES; i++) {
        char *after = rows_of(queries[i]);
        ck_assert_str_eq(after, before[i]);
        free(after);
        free(before[i]);
    }
    char *sums = rows_of("SELECT id, samples_sha256, validation_sha256, dataset, "
                         "validation_dataset FROM runs ORDER BY id");
    ck_assert_str_eq(sums, "2|sum-1|sum-2|NULL|NULL\n3|sum-2|NULL|NULL|NULL\n"
                           "5|sum-1|NULL|NULL|NULL\n6|sum-3|sum-1|NULL|NULL\n"
                           "7|sum-3|NULL|NULL|NULL\n");
    free(sums);
    char *left = rows_of("SELECT name FROM sqlite_schema WHERE name LIKE 'new%' UNION ALL "
                         "SELECT name FROM sqlite_sequence WHERE name LIKE 'new%'");
    ck_assert_str_eq(left, "");
    free(left);
}
END_TEST

START_TEST(after_the_third_migration_ids_go_on_and_references_hold)
{
    make_second_database();
    store_reopen();
    ck_assert_int_eq(store_number(store, "PRAGMA foreign_keys"), 1);
    ck_assert_int_eq(store_number(store, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    ck_assert_int_eq(store_number(store, "SELECT count(*) FROM pragma_integrity_check WHERE "
                                         "integrity_check != 'ok'"),
                     0);
    ck_assert_int_eq(insert_run("iris", NULL), 42);
    store_reopen();
    ck_assert_int_eq(insert_run("iris", NULL), 43);
    /* Runs still go with their model, and metrics are swept after their run. */
    ck_assert_int_eq(query_execute(store, "DELETE FROM models WHERE id = 'wine'"), STORE_OK);
    ck_assert_int_eq(store_number(store, "SELECT count(*) FROM runs WHERE model = 2"), 0);
    ck_assert_int_eq(store_run_sweep(store), STORE_OK);
    ck_assert_int_eq(store_number(store, "SELECT count(*) FROM metrics WHERE run = 6"), 0);
    ck_assert_int_eq(store_number(store, "SELECT count(*) FROM metrics WHERE run = 2"), 2);
    ck_assert_int_ne(query_execute(store, "UPDATE runs SET samples = 99"), STORE_OK);
}
END_TEST

START_TEST(the_sixth_migration_renames_max_spikes)
{
    store_remove();
    run_sql("PRAGMA user_version = 0");
    for (size_t i = 0; i < 5; i++)
        run_sql(embedded_migrations[i].text);
    run_sql("PRAGMA application_id = 1953329268; PRAGMA user_version = 5");
    run_sql(
        "INSERT INTO models VALUES (1, 'bursts', 'spikes_most', "
        "'{\"read_out\":\"spike_count\",\"spikes_most\":40,\"seed\":0}', '[\"spikes_most\"]', 1, "
        "10, 20)");
    store_reopen();
    char *models = rows_of("SELECT config, description, labels FROM models");
    ck_assert_str_eq(models, "{\"read_out\":\"spike_count\",\"max_spikes\":40,\"seed\":0}"
                             "|spikes_most|[\"spikes_most\"]\n");
    free(models);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store migrations");
    TCase *tests = suite_case(suite, "migrations", store_set_up, store_tear_down, 30);
    tcase_add_test(tests, a_first_database_is_brought_up_to_date);
    tcase_add_test(tests, the_third_migration_keeps_all_that_was_there);
    tcase_add_test(tests, after_the_third_migration_ids_go_on_and_references_hold);
    tcase_add_test(tests, the_sixth_migration_renames_max_spikes);
    return suite_run(suite);
}
