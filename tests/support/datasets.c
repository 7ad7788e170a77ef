#include "tests/support/datasets.h"

#include <check.h>
#include <dirent.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/arrays.h"
#include "tests/support/fixture.h"

void datasets_start(void)
{
    fixture_start(FLAGS("--max-dataset", "1048576", "--max-body", "65536", "--log", "errors"));
}

/* --- examples --- */

double dataset_number(size_t i, size_t k)
{
    return (double)((i % DATASET_CLASSES * 80 + 31 * k + 7 * i * (k + 1)) % 256);
}

double dataset_class(size_t i)
{
    return (double)((i * i + i / 5) % DATASET_CLASSES);
}

json_t *model_with_encoder(const char *id)
{
    return json_pack("{s:s, s:i, s:i, s:i, s:{s:s, s:i, s:[i,i,i], s:[i,i,i], s:i}}", "id", id,
                     "out_features", DATASET_CLASSES, "T", 50, "seed", 7, "encoder", "type",
                     "gaussian_tuning", "m", 5, "x_min", 0, 0, 0, "x_max", 255, 255, 255,
                     "max_spike_time", 50);
}

/* --- putting --- */

struct http_answer put_bytes(const struct service *service, const char *path,
                             const struct bytes *file)
{
    return http_send_bytes(service, "PUT", path, file, "Content-Type: application/octet-stream",
                           NULL);
}

void expect_dataset(const struct http_answer *answer)
{
    ck_assert_msg(answer->status == 200 || answer->status == 201, "%ld %s", answer->status,
                  answer->body);
    ck_assert((http_header(answer, "location") != NULL) == (answer->status == 201));
}

json_t *put_file(const struct service *service, const char *path, struct bytes file)
{
    struct http_answer answer = put_bytes(service, path, &file);
    expect_dataset(&answer);
    json_t *dataset = json_incref(answer.json);
    http_answer_finish(&answer);
    bytes_finish(&file);
    return dataset;
}

void put_x(const struct service *service, const char *path, const char *type)
{
    double numbers[DATASET_COUNT * DATASET_FEATURES];
    for (size_t i = 0; i < DATASET_COUNT; i++)
        for (size_t k = 0; k < DATASET_FEATURES; k++)
            numbers[i * DATASET_FEATURES + k] = dataset_number(i, k);
    json_decref(
        put_file(service, path,
                 npy_of_numbers(type, DATASET_SHAPE, numbers, DATASET_COUNT * DATASET_FEATURES)));
}

void put_label(const struct service *service, const char *path, const char *type)
{
    double classes[DATASET_COUNT];
    for (size_t i = 0; i < DATASET_COUNT; i++)
        classes[i] = dataset_class(i);
    json_decref(put_file(service, path, npy_of_numbers(type, "(40,)", classes, DATASET_COUNT)));
}

void put_both(const struct service *service, const char *id)
{
    char path[96];
    snprintf(path, sizeof path, "/datasets/%s/x", id);
    put_x(service, path, "|u1");
    snprintf(path, sizeof path, "/datasets/%s/label", id);
    put_label(service, path, "|u1");
}

/* --- behind the server's back --- */

void change_database(const struct service *service, const char *sql)
{
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(service->database, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, service_patience());
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

int64_t number_in_database(const struct service *service, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    ck_assert_int_eq(sqlite3_open_v2(service->database, &db, SQLITE_OPEN_READONLY, NULL),
                     SQLITE_OK);
    sqlite3_busy_timeout(db, service_patience());
    ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    const int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
}

static void expect_no_files(const struct service *service)
{
    DIR *directory = opendir(service->directory);
    ck_assert_ptr_nonnull(directory);
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        ck_assert_msg(entry->d_name[0] == '.' || strcmp(entry->d_name, "log") == 0 ||
                          strncmp(entry->d_name, "tempotron.db", strlen("tempotron.db")) == 0,
                      "there is a file %s", entry->d_name);
    closedir(directory);
}

static int64_t arrays_of_datasets(const struct service *service)
{
    return number_in_database(service, "SELECT count(*) FROM arrays WHERE id NOT IN "
                                       "(SELECT array FROM checkpoints)");
}

void expect_arrays(const struct service *service, int64_t count)
{
    for (int left = service_patience(); left > 0 && arrays_of_datasets(service) > count; left--)
        poll(NULL, 0, 1);
    ck_assert_int_eq(arrays_of_datasets(service), count);
    ck_assert_int_eq(number_in_database(service, "SELECT count(DISTINCT array) FROM chunks WHERE "
                                                 "array NOT IN (SELECT array FROM checkpoints)"),
                     count);
    expect_no_files(service);
}

void damage_database(const struct service *service, const char *sql)
{
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(service->database, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, service_patience());
    ck_assert_int_eq(sqlite3_exec(db, "PRAGMA ignore_check_constraints = ON", NULL, NULL, NULL),
                     SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_changes(db), 1);
    sqlite3_close(db);
}
