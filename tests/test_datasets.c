/* Datasets, over HTTP: arrays and tables are put, shown, used and deleted; what is no such file is
 * refused and leaves nothing behind. Every test starts a server of its own. */
#include <check.h>
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arrays.h"
#include "support/http.h"
#include "support/service.h"
#include "support/suite.h"

enum { COUNT = 40, FEATURES = 3, CLASSES = 3, ENDLESS = 100000, ASK_AGAIN_MS = 5 };

#define SHAPE       "(40, 3)"
#define ROWS(table) ((int)(sizeof(table) / sizeof *(table)))

static struct service server;

static void start_server(void)
{
    static const char *const flags[] = {"--max-dataset", "1048576", "--max-body", "65536",
                                        "--log",         "errors",  NULL};
    service_start(&server, flags);
}

static void stop_server(void)
{
    service_finish(&server);
}

/* --- examples --- */

/* Whole numbers 0 .. 255, so that every type holds them, and their classes. */
static double number_of(size_t i, size_t k)
{
    return (double)((i % CLASSES * 80 + 31 * k + 7 * i * (k + 1)) % 256);
}

static double class_of(size_t i)
{
    return (double)((i * i + i / 5) % CLASSES);
}

static void fill(double numbers[COUNT * FEATURES], double classes[COUNT])
{
    for (size_t i = 0; i < COUNT; i++) {
        classes[i] = class_of(i);
        for (size_t k = 0; k < FEATURES; k++)
            numbers[i * FEATURES + k] = number_of(i, k);
    }
}

static json_t *json_of(const double *numbers, size_t rows, size_t columns)
{
    json_t *array = json_array();
    for (size_t i = 0; i < rows; i++) {
        json_t *row = json_array();
        for (size_t k = 0; k < columns; k++)
            json_array_append_new(row, json_real(numbers[i * columns + k]));
        json_array_append_new(array, row);
    }
    return array;
}

static json_t *x_in_json(void)
{
    double numbers[COUNT * FEATURES], classes[COUNT];
    fill(numbers, classes);
    return json_of(numbers, COUNT, FEATURES);
}

static json_t *label_in_json(void)
{
    json_t *array = json_array();
    for (size_t i = 0; i < COUNT; i++)
        json_array_append_new(array, json_integer((json_int_t)class_of(i)));
    return array;
}

/* --- asking --- */

static const char *text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    return value != NULL ? value : "";
}

static json_int_t integer(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    ck_assert_msg(json_is_integer(value), "%s is no integer", name);
    return json_integer_value(value);
}

static void expect_problem(const struct http_answer *answer, long status, const char *code)
{
    ck_assert_msg(answer->status == status && strcmp(text(answer->json, "code"), code) == 0,
                  "expected %ld %s, but %ld came: %s", status, code, answer->status, answer->body);
}

/* The pointer of the first field that a problem names. */
static const char *pointer_of(const struct http_answer *answer)
{
    return text(json_array_get(json_object_get(answer->json, "errors"), 0), "pointer");
}

static struct http_answer put(const char *path, const struct bytes *file)
{
    return http_send_bytes(&server, "PUT", path, file, "Content-Type: application/octet-stream",
                           NULL);
}

/* 201 where the dataset is new, and then with its Location. */
static void expect_dataset(const struct http_answer *answer)
{
    ck_assert_msg(answer->status == 200 || answer->status == 201, "%ld %s", answer->status,
                  answer->body);
    ck_assert((http_header(answer, "location") != NULL) == (answer->status == 201));
}

/* Takes the file; returns the dataset. */
static json_t *put_file(const char *path, struct bytes file)
{
    struct http_answer answer = put(path, &file);
    expect_dataset(&answer);
    json_t *dataset = json_incref(answer.json);
    http_answer_finish(&answer);
    bytes_finish(&file);
    return dataset;
}

static json_t *get(const char *path)
{
    return http_call(&server, 200, "GET", path, NULL);
}

static void put_x(const char *path, const char *type)
{
    double numbers[COUNT * FEATURES], classes[COUNT];
    fill(numbers, classes);
    json_decref(put_file(path, npy_of_numbers(type, SHAPE, numbers, COUNT * FEATURES)));
}

static void put_label(const char *path, const char *type)
{
    double numbers[COUNT * FEATURES], classes[COUNT];
    fill(numbers, classes);
    json_decref(put_file(path, npy_of_numbers(type, "(40,)", classes, COUNT)));
}

static void put_both(const char *id)
{
    char path[96];
    snprintf(path, sizeof path, "/datasets/%s/x", id);
    put_x(path, "|u1");
    snprintf(path, sizeof path, "/datasets/%s/label", id);
    put_label(path, "|u1");
}

static void create(json_t *model)
{
    json_decref(http_call(&server, 201, "POST", "/models", model));
}

static json_t *model_with_encoder(const char *id)
{
    return json_pack("{s:s, s:i, s:i, s:i, s:{s:s, s:i, s:[i,i,i], s:[i,i,i], s:i}}", "id", id,
                     "out_features", CLASSES, "T", 50, "seed", 7, "encoder", "type",
                     "gaussian_tuning", "m", 5, "x_min", 0, 0, 0, "x_max", 255, 255, 255,
                     "max_spike_time", 50);
}

/* Takes the order; returns the finished run. */
static json_t *train(const char *model, json_t *order)
{
    char path[96];
    char *body = json_dumps(order, JSON_COMPACT);
    snprintf(path, sizeof path, "/models/%s/train", model);
    struct http_answer answer = http_send(&server, "POST", path, body, "Prefer: wait=600", NULL);
    json_decref(order);
    free(body);
    ck_assert_msg(answer.status == 200, "%ld %s", answer.status, answer.body);
    ck_assert_msg(strcmp(text(answer.json, "state"), "succeeded") == 0, "%s", answer.body);
    json_t *run = json_incref(answer.json);
    http_answer_finish(&answer);
    return run;
}

/* Takes the order; returns the number of the run. */
static json_int_t queue(const char *model, json_t *order)
{
    char path[96];
    snprintf(path, sizeof path, "/models/%s/train", model);
    json_t *run = http_call(&server, 202, "POST", path, order);
    const json_int_t id = integer(run, "id");
    json_decref(run);
    return id;
}

static json_t *await_run(json_int_t id, bool (*is_so)(const json_t *run))
{
    char path[64];
    snprintf(path, sizeof path, "/runs/%lld", (long long)id);
    for (int patience = service_patience(); patience > 0; patience -= ASK_AGAIN_MS) {
        json_t *run = get(path);
        if (is_so(run))
            return run;
        json_decref(run);
        poll(NULL, 0, ASK_AGAIN_MS);
    }
    ck_abort_msg("run %lld does not come so far", (long long)id);
    return NULL;
}

static bool has_begun(const json_t *run)
{
    return integer(run, "epoch") > 0;
}

static bool has_ended(const json_t *run)
{
    return json_is_string(json_object_get(run, "finished_at"));
}

static void cancel(json_int_t run)
{
    char path[64];
    snprintf(path, sizeof path, "/runs/%lld/cancel", (long long)run);
    json_decref(http_call(&server, 202, "POST", path, NULL));
    json_decref(await_run(run, has_ended));
}

/* --- behind the server's back --- */

static int64_t number_in_database(const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    ck_assert_int_eq(sqlite3_open_v2(server.database, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    sqlite3_busy_timeout(db, service_patience());
    ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    const int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
}

/* No file beside the database and its log. */
static void expect_no_files(void)
{
    DIR *directory = opendir(server.directory);
    ck_assert_ptr_nonnull(directory);
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        ck_assert_msg(entry->d_name[0] == '.' || strcmp(entry->d_name, "log") == 0 ||
                          strncmp(entry->d_name, "tempotron.db", strlen("tempotron.db")) == 0,
                      "there is a file %s", entry->d_name);
    closedir(directory);
}

static void expect_arrays(int64_t count)
{
    ck_assert_int_eq(number_in_database("SELECT count(*) FROM arrays"), count);
    ck_assert_int_eq(number_in_database("SELECT count(DISTINCT array) FROM chunks"), count);
    expect_no_files();
}

/* --- what is put is shown --- */

static void expect_array(const json_t *array, const char *dtype, size_t count, size_t features,
                         const struct bytes *values)
{
    char sha256[65];
    sha256_of(values->at, values->size, sha256);
    ck_assert_str_eq(text(array, "dtype"), dtype);
    const json_t *shape = json_object_get(array, "shape");
    ck_assert_uint_eq(json_array_size(shape), 2);
    ck_assert_int_eq(json_integer_value(json_array_get(shape, 0)), (json_int_t)count);
    ck_assert_int_eq(json_integer_value(json_array_get(shape, 1)), (json_int_t)features);
    ck_assert_int_eq(integer(array, "bytes"), (json_int_t)values->size);
    ck_assert_str_eq(text(array, "sha256"), sha256);
}

/* The sum of both arrays' sums. */
static void expect_sum(const json_t *dataset)
{
    char sums[129], sha256[65];
    snprintf(sums, sizeof sums, "%s%s", text(json_object_get(dataset, "x"), "sha256"),
             text(json_object_get(dataset, "label"), "sha256"));
    sha256_of(sums, strlen(sums), sha256);
    ck_assert_str_eq(text(dataset, "sha256"), sha256);
}

static const struct {
    const char *type, *kept, *dtype;
} types[] = {
    {"|u1", "|u1", "uint8"},   {"|i1", "|i1", "int8"},    {"<i2", "<i2", "int16"},
    {">i2", "<i2", "int16"},   {"<i4", "<i4", "int32"},   {">i4", "<i4", "int32"},
    {"<i8", "<i8", "int64"},   {">i8", "<i8", "int64"},   {"<f4", "<f4", "float32"},
    {">f4", "<f4", "float32"}, {"<f8", "<f8", "float64"}, {">f8", "<f8", "float64"},
};

START_TEST(arrays_of_every_type_are_kept_as_they_are)
{
    static const double numbers[] = {1, 2, 3, 4, 100, 127}, classes[] = {0, 4};
    const char *type = types[_i].type;
    json_t *dataset = put_file("/datasets/a/x", npy_of_numbers(type, "(2, 3)", numbers, 6));
    struct bytes values = values_of(types[_i].kept, numbers, 6);
    struct bytes labels = values_of(types[_i].kept, classes, 2);
    ck_assert_str_eq(text(dataset, "id"), "a");
    ck_assert_int_eq(integer(dataset, "count"), 2);
    ck_assert_int_eq(integer(dataset, "features"), 3);
    ck_assert_str_eq(text(dataset, "dtype"), types[_i].dtype);
    ck_assert(json_is_null(json_object_get(dataset, "classes")));
    ck_assert(json_is_null(json_object_get(dataset, "label")));
    ck_assert(json_is_null(json_object_get(dataset, "sha256")));
    ck_assert_int_eq(integer(dataset, "bytes"), (json_int_t)values.size);
    expect_array(json_object_get(dataset, "x"), types[_i].dtype, 2, 3, &values);
    json_decref(dataset);
    json_decref(put_file("/datasets/a/label", npy_of_numbers(type, "(2,)", classes, 2)));
    dataset = get("/datasets/a");
    ck_assert_int_eq(integer(dataset, "classes"), 5);
    ck_assert(json_is_null(json_object_get(dataset, "labels")));
    ck_assert_int_eq(integer(dataset, "bytes"), (json_int_t)(values.size + labels.size));
    expect_array(json_object_get(dataset, "x"), types[_i].dtype, 2, 3, &values);
    expect_array(json_object_get(dataset, "label"), types[_i].dtype, 2, 1, &labels);
    expect_sum(dataset);
    json_decref(dataset);
    bytes_finish(&values);
    bytes_finish(&labels);
}
END_TEST

/* As MNIST comes: images of several rows, and labels, gzipped. */
START_TEST(idx_is_taken_gzipped_or_not)
{
    static const uint8_t pixels[] = {0, 1, 2, 3, 250, 251, 252, 255, 9, 8, 7, 6};
    static const uint8_t digits[] = {9, 0, 4};
    static const uint32_t images_shape[] = {3, 2, 2}, labels_shape[] = {3};
    const struct bytes values = {.at = (uint8_t *)(uintptr_t)pixels, .size = sizeof pixels};
    const struct bytes labels = {.at = (uint8_t *)(uintptr_t)digits, .size = sizeof digits};
    struct bytes images_file = idx_of(3, images_shape, pixels);
    struct bytes labels_file = idx_of(1, labels_shape, digits);
    json_decref(
        put_file("/datasets/mnist/label", _i == 0 ? bytes_gzipped(&labels_file)
                                                  : bytes_of(labels_file.at, labels_file.size)));
    json_t *dataset =
        put_file("/datasets/mnist/x", _i == 0 ? bytes_gzipped(&images_file)
                                              : bytes_of(images_file.at, images_file.size));
    ck_assert_int_eq(integer(dataset, "count"), 3);
    ck_assert_int_eq(integer(dataset, "features"), 4);
    ck_assert_int_eq(integer(dataset, "classes"), 10);
    expect_array(json_object_get(dataset, "x"), "uint8", 3, 4, &values);
    expect_array(json_object_get(dataset, "label"), "uint8", 3, 1, &labels);
    expect_sum(dataset);
    json_decref(dataset);
    bytes_finish(&images_file);
    bytes_finish(&labels_file);
    expect_arrays(2);
}
END_TEST

START_TEST(an_upload_without_length_is_taken)
{
    static const double numbers[] = {1, 2, 3, 4};
    struct bytes file = npy_of_numbers("<f4", "(2, 2)", numbers, 4);
    struct bytes values = values_of("<f4", numbers, 4);
    struct http_answer answer = http_send_bytes(&server, "PUT", "/datasets/a/x", &file,
                                                "Transfer-Encoding: chunked", "Expect:", NULL);
    expect_dataset(&answer);
    expect_array(json_object_get(answer.json, "x"), "float32", 2, 2, &values);
    http_answer_finish(&answer);
    bytes_finish(&file);
    bytes_finish(&values);
}
END_TEST

#define TABLE "width,species,height\n1.5,virginica,2\n-3,setosa,4\n0,virginica,1e2\n"

static struct bytes csv_of(const char *csv)
{
    return bytes_of(csv, strlen(csv));
}

START_TEST(a_table_becomes_features_and_named_classes)
{
    static const double numbers[] = {1.5, 2, -3, 4, 0, 100}, classes[] = {1, 0, 1};
    struct bytes values = values_of("<f4", numbers, 6), labels = values_of("<i4", classes, 3);
    struct bytes plain = csv_of(TABLE);
    json_t *dataset =
        put_file("/datasets/a?label=species", _i == 0 ? bytes_gzipped(&plain) : csv_of(TABLE));
    ck_assert_int_eq(integer(dataset, "count"), 3);
    ck_assert_int_eq(integer(dataset, "features"), 2);
    ck_assert_int_eq(integer(dataset, "classes"), 2);
    const json_t *names = json_object_get(dataset, "labels");
    ck_assert_uint_eq(json_array_size(names), 2);
    ck_assert_str_eq(json_string_value(json_array_get(names, 0)), "setosa");
    ck_assert_str_eq(json_string_value(json_array_get(names, 1)), "virginica");
    expect_array(json_object_get(dataset, "x"), "float32", 3, 2, &values);
    expect_array(json_object_get(dataset, "label"), "int32", 3, 1, &labels);
    expect_sum(dataset);
    json_decref(dataset);
    bytes_finish(&plain);
    bytes_finish(&values);
    bytes_finish(&labels);
}
END_TEST

START_TEST(a_table_may_have_numbers_for_labels_or_none)
{
    static const double numbers[] = {1, 4, 2, 0}, all[] = {1, 7, 4, 2, 3, 0}, classes[] = {7, 3};
    struct bytes values = values_of("<f4", numbers, 4), labels = values_of("<i4", classes, 2);
    struct bytes everything = values_of("<f4", all, 6);
    json_t *dataset = put_file("/datasets/a?label=c", csv_of("a,c,b\n1,7,4\n2,3,0\n"));
    ck_assert_int_eq(integer(dataset, "classes"), 8);
    ck_assert(json_is_null(json_object_get(dataset, "labels")));
    expect_array(json_object_get(dataset, "x"), "float32", 2, 2, &values);
    expect_array(json_object_get(dataset, "label"), "int32", 2, 1, &labels);
    json_decref(dataset);
    expect_arrays(2);
    /* A table takes the place of all that was there. */
    dataset = put_file("/datasets/a", csv_of("a,c,b\n1,7,4\n2,3,0\n"));
    ck_assert(json_is_null(json_object_get(dataset, "label")));
    ck_assert(json_is_null(json_object_get(dataset, "classes")));
    ck_assert(json_is_null(json_object_get(dataset, "sha256")));
    expect_array(json_object_get(dataset, "x"), "float32", 2, 3, &everything);
    json_decref(dataset);
    expect_arrays(1);
    bytes_finish(&values);
    bytes_finish(&labels);
    bytes_finish(&everything);
}
END_TEST

START_TEST(a_dataset_is_created_by_its_first_part_alone)
{
    static const double numbers[] = {1, 2};
    struct bytes file = npy_of_numbers("|u1", "(2,)", numbers, 2);
    struct http_answer first = put("/datasets/a/x", &file);
    struct http_answer second = put("/datasets/a/label", &file);
    ck_assert_int_eq(first.status, 201);
    ck_assert_str_eq(http_header(&first, "location"), "/datasets/a");
    ck_assert_int_eq(second.status, 200);
    ck_assert_ptr_null(http_header(&second, "location"));
    http_answer_finish(&first);
    http_answer_finish(&second);
    bytes_finish(&file);
}
END_TEST

START_TEST(a_new_array_takes_the_place_of_the_old_one)
{
    static const double numbers[] = {1, 2, 3, 4, 5, 6}, others[] = {9, 8};
    struct bytes values = values_of("<i2", others, 2);
    json_decref(put_file("/datasets/a?label=c", csv_of("a,c\n1,x\n2,y\n")));
    json_t *before = get("/datasets/a");
    json_t *after = put_file("/datasets/a/x", npy_of_numbers("<i2", "(2,)", others, 2));
    expect_array(json_object_get(after, "x"), "int16", 2, 1, &values);
    ck_assert(json_equal(json_object_get(after, "label"), json_object_get(before, "label")));
    ck_assert(json_equal(json_object_get(after, "labels"), json_object_get(before, "labels")));
    ck_assert_str_eq(text(after, "created_at"), text(before, "created_at"));
    ck_assert_str_ne(text(after, "sha256"), text(before, "sha256"));
    expect_sum(after);
    json_decref(before);
    /* Labels by number are no names any more. */
    json_decref(after);
    after = put_file("/datasets/a/label", npy_of_numbers("|u1", "(2,)", numbers, 2));
    ck_assert(json_is_null(json_object_get(after, "labels")));
    ck_assert_int_eq(integer(after, "classes"), 3);
    json_decref(after);
    bytes_finish(&values);
    expect_arrays(2);
}
END_TEST

START_TEST(samples_and_labels_have_to_be_equally_many)
{
    static const double numbers[] = {0, 1, 2, 3};
    static const char *const parts[] = {"/datasets/a/x", "/datasets/a/label"};
    struct bytes three = npy_of_numbers("|u1", "(3,)", numbers, 3);
    json_decref(put_file(parts[_i], npy_of_numbers("|u1", "(2,)", numbers, 2)));
    json_t *before = get("/datasets/a");
    struct http_answer answer = put(parts[1 - _i], &three);
    expect_problem(&answer, 422, "wrong_shape");
    http_answer_finish(&answer);
    json_t *after = get("/datasets/a");
    ck_assert(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    bytes_finish(&three);
    expect_arrays(1);
}
END_TEST

START_TEST(datasets_are_listed_newest_first_page_by_page)
{
    char path[64];
    static const double number[] = {1};
    for (int i = 0; i < 5; i++) {
        snprintf(path, sizeof path, "/datasets/set-%d/x", i);
        json_decref(put_file(path, npy_of_numbers("|u1", "(1,)", number, 1)));
    }
    snprintf(path, sizeof path, "/datasets?limit=2");
    for (int i = 4, pages = 0; pages < 3; pages++) {
        json_t *page = get(path);
        const json_t *list = json_object_get(page, "datasets");
        ck_assert_uint_eq(json_array_size(list), pages < 2 ? 2 : 1);
        for (size_t j = 0; j < json_array_size(list); j++, i--) {
            char id[16];
            snprintf(id, sizeof id, "set-%d", i);
            ck_assert_str_eq(text(json_array_get(list, j), "id"), id);
        }
        const json_t *next = json_object_get(page, "next_cursor");
        ck_assert_int_eq(json_is_string(next), pages < 2);
        if (json_is_string(next))
            snprintf(path, sizeof path, "/datasets?limit=2&cursor=%s", json_string_value(next));
        json_decref(page);
    }
}
END_TEST

START_TEST(a_deleted_dataset_is_gone_with_its_arrays)
{
    static const char *const methods[] = {"GET", "DELETE"};
    put_both("a");
    put_both("b");
    expect_arrays(4);
    json_decref(http_call(&server, 204, "DELETE", "/datasets/a", NULL));
    for (int i = 0; i < ROWS(methods); i++) {
        struct http_answer answer = http_send(&server, methods[i], "/datasets/a", NULL, NULL);
        expect_problem(&answer, 404, "dataset_not_found");
        http_answer_finish(&answer);
    }
    expect_arrays(2);
    json_t *other = get("/datasets/b");
    ck_assert_int_eq(integer(other, "count"), COUNT);
    json_decref(other);
}
END_TEST

/* --- what is refused --- */

#define NPY(type, shape, data) 0, type, shape, data, sizeof(data) - 1
#define NINES                  "\0\0\0\0\0\0\xf8\x7f" /* not a number, as float64 */

static const struct {
    const char *path;
    const char *csv; /* else .npy: */
    const char *type, *shape, *data;
    size_t size;
    long status;
    const char *code;
} hostile[] = {
    {"/datasets/a/x", NPY("<f4", "(2, 2)", "0123456789abcde"), 422, "truncated_data"},
    {"/datasets/a/x", NPY("<f4", "(2, 2)", "0123456789abcdefg"), 422, "malformed_data"},
    {"/datasets/a/x", NPY("<f4", "(2, 2)", ""), 422, "truncated_data"},
    {"/datasets/a/x", NPY("|O", "(1,)", "01234567"), 415, "unsupported_format"},
    {"/datasets/a/x", NPY("<c8", "(1,)", "01234567"), 415, "unsupported_format"},
    {"/datasets/a/x", NPY("<f8", "(1,)", NINES), 422, "not_finite"},
    {"/datasets/a/x", NPY("<f8", "(1,)", "\0\0\0\0\0\0\xf0\x7f"), 422, "not_finite"},
    {"/datasets/a/x", NPY("<f8", "(1,)", "\xff\xff\xff\xff\xff\xff\xef\x7f"), 422, "not_finite"},
    {"/datasets/a/x", NPY("|u1", "(0, 4)", ""), 422, "empty_batch"},
    {"/datasets/a/x", NPY("|u1", "(4, 0)", ""), 422, "empty_batch"},
    {"/datasets/a/x", NPY("|u1", "()", "1"), 422, "wrong_shape"},
    {"/datasets/a/x", NPY("|u1", "(1, 1000001)", "1"), 422, "too_large"},
    {"/datasets/a/x", NPY("|u1", "(1048577,)", "1"), 422, "too_large"},
    {"/datasets/a/x", NPY("<f8", "(4611686018427387904, 4)", "1"), 422, "too_large"},
    {"/datasets/a/x", NPY("|u1", "(99999999999999999999,)", "1"), 422, "too_large"},
    {"/datasets/a/label", NPY("<f4", "(1,)", "\0\0\xc0\x3f"), 422, "label_out_of_range"},
    {"/datasets/a/label", NPY("<i4", "(1,)", "\xff\xff\xff\xff"), 422, "label_out_of_range"},
    {"/datasets/a/label", NPY("<i4", "(1,)", "\x70\x11\x01\0"), 422, "label_out_of_range"},
    {"/datasets/a/label", NPY("<i8", "(1,)", "\0\0\0\0\1\0\0\0"), 422, "label_out_of_range"},
    {"/datasets/a/label", NPY("<f8", "(1,)", NINES), 422, "not_finite"},
    {"/datasets/a/label", NPY("|u1", "(1, 2)", "\0\1"), 422, "wrong_shape"},
    {"/datasets/a/x", "x", "", "", "", 0, 415, "unsupported_format"},
    {"/datasets/a/x", "PK\3\4", "", "", "", 0, 415, "unsupported_format"},
    {"/datasets/a/x", "", "", "", "", 0, 422, "empty_batch"},
    {"/datasets/a", "", "", "", "", 0, 422, "empty_batch"},
    {"/datasets/a", "a,b\n", "", "", "", 0, 422, "empty_batch"},
    {"/datasets/a", "a,b\n1\n", "", "", "", 0, 422, "ragged_array"},
    {"/datasets/a", "a,b\n1,x\n", "", "", "", 0, 422, "wrong_type"},
    {"/datasets/a", "a,b\n1,nan\n", "", "", "", 0, 422, "not_finite"},
    {"/datasets/a?label=c", "a,b\n1,2\n", "", "", "", 0, 422, "missing_field"},
    {"/datasets/a?label=b", "a,b\n1,70000\n", "", "", "", 0, 422, "label_out_of_range"},
};

START_TEST(what_is_no_such_file_is_refused_and_leaves_nothing_behind)
{
    struct bytes file = hostile[_i].csv != NULL ? csv_of(hostile[_i].csv)
                                                : npy_of(hostile[_i].type, hostile[_i].shape,
                                                         hostile[_i].data, hostile[_i].size);
    for (int turn = 0; turn < 2; turn++) {
        struct http_answer answer = put(hostile[_i].path, &file);
        expect_problem(&answer, hostile[_i].status, hostile[_i].code);
        http_answer_finish(&answer);
        struct bytes gzipped = bytes_gzipped(&file);
        bytes_finish(&file);
        file = gzipped;
    }
    bytes_finish(&file);
    expect_arrays(0);
    json_decref(http_call(&server, 404, "GET", "/datasets/a", NULL));
}
END_TEST

START_TEST(arrays_in_fortrans_order_are_refused)
{
    static const char text_of_header[] =
        "\x93NUMPY\1\0\x40\0{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2), }    \n1234";
    struct bytes file = bytes_of(text_of_header, sizeof text_of_header - 1);
    struct http_answer answer = put("/datasets/a/x", &file);
    file.at[8] = (unsigned char)(file.size - 4 - 10);
    http_answer_finish(&answer);
    answer = put("/datasets/a/x", &file);
    expect_problem(&answer, 415, "unsupported_format");
    http_answer_finish(&answer);
    bytes_finish(&file);
    expect_arrays(0);
}
END_TEST

/* Streams that are cut off, that something follows, that break after the first chunk. */
START_TEST(damaged_gzip_is_refused_and_leaves_nothing_behind)
{
    enum { PIXELS = 1000000 };
    static const char *const codes[] = {"truncated_data", "malformed_data", "malformed_data"};
    uint8_t *pixels = calloc(1, PIXELS);
    struct bytes plain = npy_of("|u1", "(1000, 1000)", pixels, PIXELS);
    struct bytes file = bytes_gzipped(&plain);
    file.capacity = 0;
    if (_i == 0)
        file.size -= 9;
    else if (_i == 1)
        bytes_add(&file, "more", 4);
    else
        file.at[file.size - 6] ^= 1; /* of the checksum */
    struct http_answer answer = put("/datasets/a/x", &file);
    expect_problem(&answer, 422, codes[_i]);
    http_answer_finish(&answer);
    bytes_finish(&file);
    bytes_finish(&plain);
    free(pixels);
    expect_arrays(0);
}
END_TEST

/* The header is modest, or it is not: the stream holds 64 MB either way. */
START_TEST(a_bomb_does_not_go_off)
{
    enum { BOMB = 64000000 };
    static const struct {
        const char *path, *shape, *code;
    } bombs[] = {{"/datasets/a/x", "(10, 10)", "malformed_data"},
                 {"/datasets/a/x", "(64000, 1000)", "too_large"},
                 {"/datasets/a/label", "(64000000,)", "too_large"}};
    uint8_t *zeros = calloc(1, BOMB);
    struct bytes plain = npy_of("|u1", bombs[_i].shape, zeros, BOMB);
    struct bytes file = bytes_gzipped(&plain);
    ck_assert_uint_lt(file.size, 100000);
    struct http_answer answer = put(bombs[_i].path, &file);
    expect_problem(&answer, 422, bombs[_i].code);
    http_answer_finish(&answer);
    bytes_finish(&file);
    bytes_finish(&plain);
    free(zeros);
    expect_arrays(0);
    ck_assert_int_lt(number_in_database("PRAGMA page_count"), 1000);
}
END_TEST

START_TEST(a_table_may_be_as_large_as_an_array)
{
    enum { LINES = 700000 };
    struct bytes plain = csv_of("a\n");
    for (int i = 0; i < LINES; i++)
        bytes_add(&plain, "1\n", 2);
    struct bytes file = bytes_gzipped(&plain);
    struct http_answer answer = put("/datasets/a", &file);
    expect_problem(&answer, 422, "too_large");
    http_answer_finish(&answer);
    bytes_finish(&plain);
    bytes_finish(&file);
    expect_arrays(0);
}
END_TEST

START_TEST(an_upload_beyond_the_limit_is_refused)
{
    enum { LIMIT = 1048576, HEADER = 128 };
    uint8_t *zeros = calloc(1, LIMIT);
    char shape[32];
    snprintf(shape, sizeof shape, "(%d,)", LIMIT - HEADER + 1);
    struct bytes file = npy_of("|u1", shape, zeros, LIMIT - HEADER + 1);
    ck_assert_uint_eq(file.size, LIMIT + 1);
    const char *coding = _i == 0 ? "Expect:" : "Transfer-Encoding: chunked";
    struct http_answer answer =
        http_send_bytes(&server, "PUT", "/datasets/a/label", &file, coding, NULL);
    expect_problem(&answer, 413, "body_too_large");
    http_answer_finish(&answer);
    expect_arrays(0);
    /* One byte less is taken. */
    bytes_finish(&file);
    snprintf(shape, sizeof shape, "(%d,)", LIMIT - HEADER);
    file = npy_of("|u1", shape, zeros, LIMIT - HEADER);
    ck_assert_uint_eq(file.size, LIMIT);
    answer = http_send_bytes(&server, "PUT", "/datasets/a/label", &file, coding, NULL);
    expect_dataset(&answer);
    ck_assert_int_eq(integer(answer.json, "count"), LIMIT - HEADER);
    http_answer_finish(&answer);
    bytes_finish(&file);
    free(zeros);
    expect_arrays(1);
}
END_TEST

START_TEST(a_file_is_not_taken_for_json)
{
    struct bytes file = csv_of("{}");
    struct http_answer answer = http_send_bytes(&server, "PUT", "/datasets/a/x", &file,
                                                "Content-Type: application/json", NULL);
    expect_problem(&answer, 415, "unsupported_media_type");
    http_answer_finish(&answer);
    bytes_finish(&file);
}
END_TEST

START_TEST(an_id_that_is_none_is_not_found)
{
    static const char *const paths[] = {"/datasets/A/x", "/datasets/-a/x", "/datasets/a/y",
                                        "/datasets//x"};
    struct bytes file = csv_of("x");
    struct http_answer answer = put(paths[_i], &file);
    ck_assert_msg(answer.status == 404, "%ld %s", answer.status, answer.body);
    http_answer_finish(&answer);
    bytes_finish(&file);
}
END_TEST

/* --- what samples in JSON give, a dataset gives --- */

/* The answers to the two bodies, which it takes, are the same bytes. */
static void expect_equal_answers(const char *path, json_t *first, json_t *second)
{
    char *bodies[] = {json_dumps(first, JSON_COMPACT), json_dumps(second, JSON_COMPACT)};
    struct http_answer answers[2];
    for (int i = 0; i < 2; i++) {
        answers[i] = http_send(&server, "POST", path, bodies[i], NULL);
        ck_assert_msg(answers[i].status == 200, "%ld %s", answers[i].status, answers[i].body);
    }
    ck_assert_str_eq(answers[0].body, answers[1].body);
    for (int i = 0; i < 2; i++) {
        http_answer_finish(&answers[i]);
        free(bodies[i]);
    }
    json_decref(first);
    json_decref(second);
}

START_TEST(predictions_and_evaluations_are_those_of_the_same_samples)
{
    create(model_with_encoder("m"));
    if (strcmp(types[_i].type, "|i1") == 0)
        return; /* which does not hold 255 */
    put_x("/datasets/a/x", types[_i].type);
    expect_equal_answers("/models/m/predict",
                         json_pack("{s:s, s:[s,s,s,s]}", "dataset", "a", "ret_type", "label",
                                   "v_max", "spikes", "v"),
                         json_pack("{s:o, s:[s,s,s,s]}", "x", x_in_json(), "ret_type", "label",
                                   "v_max", "spikes", "v"));
    put_label("/datasets/a/label", types[_i].type);
    expect_equal_answers("/models/m/evaluate",
                         json_pack("{s:s, s:s}", "dataset", "a", "loss", "cross_entropy"),
                         json_pack("{s:o, s:o, s:s}", "x", x_in_json(), "label", label_in_json(),
                                   "loss", "cross_entropy"));
}
END_TEST

START_TEST(without_an_encoder_samples_are_spike_times)
{
    const char *type = _i == 0 ? "|u1" : "<f8";
    create(json_pack("{s:s, s:i, s:i, s:i}", "id", "m", "in_features", FEATURES, "out_features",
                     CLASSES, "T", 300));
    put_x("/datasets/a/x", type);
    put_label("/datasets/a/label", "<i8");
    expect_equal_answers("/models/m/predict", json_pack("{s:s}", "dataset", "a"),
                         json_pack("{s:o}", "in_spikes", x_in_json()));
    expect_equal_answers(
        "/models/m/evaluate", json_pack("{s:s}", "dataset", "a"),
        json_pack("{s:o, s:o}", "in_spikes", x_in_json(), "label", label_in_json()));
    struct http_answer array = http_send(&server, "POST", "/models/m/predict",
                                         "{\"dataset\": \"a\", \"ret_type\": \"v_max\"}",
                                         "Accept: application/x-npy", NULL);
    ck_assert_int_eq(array.status, 200);
    ck_assert_str_eq(http_header(&array, "content-type"), "application/x-npy");
    http_answer_finish(&array);
}
END_TEST

static char *trained(const char *model, const char *what)
{
    char path[96];
    snprintf(path, sizeof path, "/models/%s/weights", model);
    json_t *answer = get(path);
    char *weight = json_dumps(json_object_get(answer, what), JSON_COMPACT);
    ck_assert_ptr_nonnull(weight);
    json_decref(answer);
    return weight;
}

static json_t *metrics_of(const json_t *run)
{
    char path[96];
    snprintf(path, sizeof path, "/runs/%lld/metrics?limit=1000", (long long)integer(run, "id"));
    return get(path);
}

/* Both orders give the same weights and the same metrics of every epoch. Takes them, and adds what
 * they share. */
static void expect_equal_runs(json_t *first, json_t *second, json_t *shared)
{
    json_t *orders[] = {first, second}, *metrics[2];
    const char *const models[] = {"first", "second"};
    char *weights[2];
    for (int i = 0; i < 2; i++) {
        json_object_update(orders[i], shared);
        create(model_with_encoder(models[i]));
        json_t *run = train(models[i], orders[i]);
        metrics[i] = metrics_of(run);
        weights[i] = trained(models[i], "weight");
        json_decref(run);
    }
    ck_assert_str_eq(weights[0], weights[1]);
    ck_assert(json_equal(metrics[0], metrics[1]));
    ck_assert_uint_eq(json_array_size(json_object_get(metrics[0], "metrics")), 6);
    for (int i = 0; i < 2; i++) {
        free(weights[i]);
        json_decref(metrics[i]);
    }
    json_decref(shared);
}

static json_t *shared_order(void)
{
    return json_pack("{s:i, s:i, s:s, s:f, s:s, s:i}", "epochs", 6, "batch_size", 7, "optimizer",
                     "adam", "learning_rate", 0.05, "loss", "cross_entropy", "seed", 5);
}

static json_t *samples_in_json(void)
{
    return json_pack("{s:o, s:o}", "x", x_in_json(), "label", label_in_json());
}

START_TEST(training_is_that_on_the_same_samples)
{
    put_x("/datasets/a/x", _i == 0 ? "|u1" : "<f8");
    put_label("/datasets/a/label", "|u1");
    expect_equal_runs(json_pack("{s:s}", "dataset", "a"), samples_in_json(), shared_order());
}
END_TEST

START_TEST(the_share_for_validation_is_that_of_the_same_samples)
{
    json_t *shared = shared_order();
    json_object_set_new(shared, "validation_fraction", json_real(0.3));
    json_object_set_new(shared, "patience", json_integer(50));
    put_both("a");
    expect_equal_runs(json_pack("{s:s}", "dataset", "a"), samples_in_json(), shared);
}
END_TEST

START_TEST(a_dataset_may_be_for_validation)
{
    put_both("a");
    json_t *first = samples_in_json(), *second = samples_in_json();
    if (_i == 1) {
        json_decref(first);
        first = json_pack("{s:s}", "dataset", "a");
    }
    json_object_set_new(first, "validation", json_pack("{s:s}", "dataset", "a"));
    json_object_set_new(second, "validation", samples_in_json());
    expect_equal_runs(first, second, shared_order());
}
END_TEST

/* A model may know the classes by other numbers, and more of them. */
START_TEST(names_of_a_table_are_the_models_whatever_their_order)
{
    struct bytes file = csv_of("a,kind,b\n");
    static const char *const names[] = {"zebra", "ant", "mole"}; /* by class_of() */
    char line[96];
    for (size_t i = 0; i < COUNT; i++) {
        const int size = snprintf(line, sizeof line, "%g,%s,%g\n", number_of(i, 0),
                                  names[(size_t)class_of(i)], number_of(i, 1));
        bytes_add(&file, line, (size_t)size);
    }
    json_decref(put_file("/datasets/a?label=kind", file));
    create(json_pack("{s:s, s:i, s:i, s:i, s:[s,s,s,s]}", "id", "m", "in_features", 2,
                     "out_features", 4, "T", 300, "labels", "mole", "zebra", "bee", "ant"));
    json_t *x = json_array(), *label = json_array();
    for (size_t i = 0; i < COUNT; i++) {
        json_array_append_new(x, json_pack("[f, f]", number_of(i, 0), number_of(i, 1)));
        json_array_append_new(label, json_string(names[(size_t)class_of(i)]));
    }
    expect_equal_answers("/models/m/evaluate", json_pack("{s:s}", "dataset", "a"),
                         json_pack("{s:o, s:o}", "in_spikes", x, "label", label));
    json_t *evaluation =
        http_call(&server, 200, "POST", "/models/m/evaluate", json_pack("{s:s}", "dataset", "a"));
    const json_t *bee = json_array_get(json_object_get(evaluation, "classes"), 2);
    ck_assert_str_eq(text(bee, "label"), "bee");
    ck_assert_int_eq((int)json_number_value(json_object_get(bee, "support")), 0);
    json_decref(evaluation);
}
END_TEST

/* --- what does not suit --- */

#define ENCODER                                                                                    \
    "\"encoder\": {\"type\": \"gaussian_tuning\", \"m\": 4, \"x_min\": [0, 0], \"x_max\": [9, 9]}"

static const struct {
    const char *model, *table, *call, *body, *code, *pointer;
} unsuitable[] = {
    {"\"in_features\": 2, \"out_features\": 2, \"T\": 9", "a,c,b\n1,0,2\n", "evaluate",
     "{\"dataset\": \"b\"}", "unknown_value", "/dataset"},
    {"\"in_features\": 2, \"out_features\": 2, \"T\": 9", "a,c,b\n1,0,2\n", "predict",
     "{\"dataset\": 5}", "wrong_type", "/dataset"},
    {"\"in_features\": 3, \"out_features\": 2, \"T\": 9", "a,c,b\n1,0,2\n", "predict",
     "{\"dataset\": \"a\"}", "wrong_shape", "/dataset"},
    {ENCODER ", \"out_features\": 2", "a,c\n1,0\n", "predict", "{\"dataset\": \"a\"}",
     "wrong_shape", "/dataset"},
    {ENCODER ", \"out_features\": 2", "a,c,b\n1,2,2\n", "evaluate", "{\"dataset\": \"a\"}",
     "label_out_of_range", "/dataset"},
    {ENCODER ", \"out_features\": 2", "a,c,b\n1,ant,2\n", "evaluate", "{\"dataset\": \"a\"}",
     "unknown_label", "/dataset"},
    {ENCODER ", \"out_features\": 2, \"labels\": [\"bee\", \"cat\"]", "a,c,b\n1,ant,2\n", "train",
     "{\"dataset\": \"a\"}", "unknown_label", "/dataset"},
    {ENCODER ", \"out_features\": 2", "a,c,b\n1,0,2\n", "evaluate",
     "{\"dataset\": \"a\", \"label\": [0]}", "conflicting_fields", "/label"},
    {ENCODER ", \"out_features\": 2", "a,c,b\n1,0,2\n", "predict",
     "{\"dataset\": \"a\", \"x\": [[1, 2]]}", "conflicting_fields", "/x"},
    {ENCODER ", \"out_features\": 2", "a,c,b\n1,0,2\n", "train",
     "{\"dataset\": \"a\", \"in_spikes\": [[1, 2]]}", "conflicting_fields", "/in_spikes"},
    {ENCODER ", \"out_features\": 2", "a,c,b\n1,0,2\n", "train",
     "{\"dataset\": \"a\", \"validation\": {\"dataset\": \"z\"}}", "unknown_value",
     "/validation/dataset"},
    {ENCODER ", \"out_features\": 2", "a,c,b\n1,0,2\n", "train",
     "{\"dataset\": \"a\", \"validation_fraction\": 0.9}", "out_of_range", "/validation_fraction"},
    {"\"in_features\": 2, \"out_features\": 100, \"T\": 50000", "a,c,b\n1,0,2\n", "predict",
     "{\"dataset\": \"a\", \"ret_type\": \"v\"}", "too_large", "/dataset"},
};

START_TEST(a_dataset_that_does_not_suit_is_refused_by_field)
{
    char model[512], path[64];
    snprintf(model, sizeof model, "{\"id\": \"m\", %s}", unsuitable[_i].model);
    struct http_answer answer = http_send(&server, "POST", "/models", model, NULL);
    ck_assert_msg(answer.status == 201, "%s", answer.body);
    http_answer_finish(&answer);
    json_decref(put_file("/datasets/a?label=c", csv_of(unsuitable[_i].table)));
    snprintf(path, sizeof path, "/models/m/%s", unsuitable[_i].call);
    answer = http_send(&server, "POST", path, unsuitable[_i].body, NULL);
    expect_problem(&answer, 422, unsuitable[_i].code);
    ck_assert_str_eq(pointer_of(&answer), unsuitable[_i].pointer);
    http_answer_finish(&answer);
}
END_TEST

START_TEST(more_work_than_one_request_may_ask_for_is_refused)
{
    enum { SAMPLES = 2600, OUTPUTS = 1000, STEPS = 16000 }; /* beyond LIMIT_WORK */
    uint8_t *zeros = calloc(1, SAMPLES);
    json_decref(put_file("/datasets/a/x", npy_of("|u1", "(2600,)", zeros, SAMPLES)));
    json_decref(put_file("/datasets/a/label", npy_of("|u1", "(2600,)", zeros, SAMPLES)));
    free(zeros);
    create(json_pack("{s:s, s:i, s:i, s:i}", "id", "m", "in_features", 1, "out_features", OUTPUTS,
                     "T", STEPS));
    struct http_answer answer =
        http_send(&server, "POST", "/models/m/evaluate", "{\"dataset\": \"a\"}", NULL);
    expect_problem(&answer, 422, "too_large");
    ck_assert_str_eq(pointer_of(&answer), "/dataset");
    http_answer_finish(&answer);
}
END_TEST

START_TEST(half_a_dataset_is_told_what_it_misses)
{
    create(model_with_encoder("m"));
    put_label("/datasets/labels/label", "|u1");
    put_x("/datasets/x/x", "|u1");
    static const char *const bodies[] = {"{\"dataset\": \"labels\"}", "{\"dataset\": \"x\"}"};
    static const char *const paths[] = {"/models/m/evaluate", "/models/m/train"};
    for (int i = 0; i < 4; i++) {
        struct http_answer answer = http_send(&server, "POST", paths[i / 2], bodies[i % 2], NULL);
        expect_problem(&answer, 422, "missing_field");
        ck_assert_str_eq(pointer_of(&answer), "/dataset");
        http_answer_finish(&answer);
    }
}
END_TEST

/* --- runs and their datasets --- */

static void expect_in_use(void)
{
    static const struct {
        const char *method, *path;
    } changes[] = {{"DELETE", "/datasets/a"}, {"PUT", "/datasets/a/x"}, {"PUT", "/datasets/a"}};
    static const double numbers[COUNT * FEATURES] = {0};
    struct bytes array = npy_of_numbers("|u1", SHAPE, numbers, COUNT * FEATURES);
    struct bytes table = csv_of("a\n1\n"), none = {0};
    const struct bytes *const bodies[] = {&none, &array, &table};
    for (int i = 0; i < ROWS(changes); i++) {
        struct http_answer answer =
            i == 0 ? http_send(&server, changes[i].method, changes[i].path, NULL, NULL)
                   : put(changes[i].path, bodies[i]);
        expect_problem(&answer, 409, "dataset_in_use");
        http_answer_finish(&answer);
    }
    bytes_finish(&array);
    bytes_finish(&table);
}

START_TEST(a_dataset_in_use_is_neither_deleted_nor_changed)
{
    create(model_with_encoder("m"));
    put_both("a");
    put_both("b");
    json_t *before = get("/datasets/a");
    const json_int_t running =
        queue("m", json_pack("{s:s, s:i}", "dataset", "a", "epochs", ENDLESS));
    json_t *waiting = samples_in_json();
    json_object_set_new(waiting, "validation", json_pack("{s:s}", "dataset", "a"));
    const json_int_t queued = queue("m", waiting);
    json_decref(await_run(running, has_begun));
    expect_in_use();
    cancel(queued);
    expect_in_use();
    expect_arrays(4);
    cancel(running);
    json_t *after = get("/datasets/a");
    ck_assert(json_equal(before, after));
    put_x("/datasets/a/x", "<f4");
    json_decref(http_call(&server, 204, "DELETE", "/datasets/a", NULL));
    expect_arrays(2);
    json_decref(before);
    json_decref(after);
}
END_TEST

START_TEST(a_queued_run_alone_keeps_its_dataset)
{
    create(model_with_encoder("m"));
    put_both("a");
    put_both("b");
    const json_int_t running =
        queue("m", json_pack("{s:s, s:i}", "dataset", "b", "epochs", ENDLESS));
    json_decref(await_run(running, has_begun));
    const json_int_t queued = queue("m", json_pack("{s:s, s:{s:s}}", "dataset", _i == 0 ? "a" : "b",
                                                   "validation", "dataset", _i == 0 ? "b" : "a"));
    expect_in_use();
    cancel(queued);
    json_decref(http_call(&server, 204, "DELETE", "/datasets/a", NULL));
    cancel(running);
}
END_TEST

/* The run looks the names up when it begins, which may be after a restart. */
START_TEST(a_models_labels_stay_while_a_run_needs_their_names)
{
    struct http_answer answer;
    const char *change = _i == 0 ? "{\"labels\": [\"b\", \"a\"]}" : "{\"labels\": null}";
    json_decref(put_file("/datasets/a?label=kind", csv_of("x,kind\n1,a\n2,b\n")));
    create(json_pack("{s:s, s:i, s:i, s:i, s:[s,s]}", "id", "m", "in_features", 1, "out_features",
                     2, "T", 9, "labels", "a", "b"));
    const json_int_t run = queue("m", json_pack("{s:s, s:i}", "dataset", "a", "epochs", ENDLESS));
    answer = http_send(&server, "PATCH", "/models/m", change, NULL);
    expect_problem(&answer, 409, "model_in_use");
    http_answer_finish(&answer);
    json_decref(
        http_call(&server, 200, "PATCH", "/models/m", json_pack("{s:s}", "description", "d")));
    cancel(run);
    json_decref(await_run(run, has_ended));
    answer = http_send(&server, "PATCH", "/models/m", change, NULL);
    ck_assert_int_eq(answer.status, 200);
    http_answer_finish(&answer);
}
END_TEST

START_TEST(a_run_keeps_the_checksum_of_a_dataset_that_is_gone)
{
    create(model_with_encoder("m"));
    put_both("a");
    json_t *dataset = get("/datasets/a");
    json_t *run = train("m", json_pack("{s:s, s:i}", "dataset", "a", "epochs", 2));
    ck_assert_str_eq(text(run, "samples_sha256"), text(dataset, "sha256"));
    ck_assert_str_eq(text(run, "dataset"), "a");
    json_decref(http_call(&server, 204, "DELETE", "/datasets/a", NULL));
    put_both("a"); /* another one by that name */
    service_restart(&server);
    json_t *later = get("/runs/1");
    ck_assert_str_eq(text(later, "samples_sha256"), text(dataset, "sha256"));
    ck_assert(json_is_null(json_object_get(later, "dataset")));
    ck_assert_str_eq(text(later, "state"), "succeeded");
    json_decref(later);
    json_decref(run);
    json_decref(dataset);
}
END_TEST

/* --- crashes --- */

/* Starts a server that takes large files, in the place of the other. */
static void restart_ample(void)
{
    static const char *const flags[] = {"--log", "errors", NULL};
    struct service ample;
    service_start(&ample, flags);
    stop_server();
    server = ample;
}

/* Sends a file that is small on the wire and takes the server a while, and waits until some of its
 * chunks are in the database, beside `before` others. */
static int begin_long_upload(int64_t before)
{
    enum { PIXELS = 400000000 };
    char head[256];
    uint8_t *zeros = calloc(1, PIXELS);
    struct bytes plain = npy_of("|u1", "(400000, 1000)", zeros, PIXELS);
    free(zeros);
    struct bytes file = bytes_gzipped(&plain);
    bytes_finish(&plain);
    const int size = snprintf(head, sizeof head,
                              "PUT /datasets/a/x HTTP/1.1\r\nHost: localhost\r\n"
                              "Connection: close\r\nContent-Length: %zu\r\n\r\n",
                              file.size);
    const int connection = http_connect(&server);
    ck_assert_int_eq(send(connection, head, (size_t)size, MSG_NOSIGNAL), size);
    ck_assert_int_eq(send(connection, file.at, file.size, MSG_NOSIGNAL), (ssize_t)file.size);
    bytes_finish(&file);
    while (number_in_database("SELECT count(*) FROM chunks") < before + 2)
        poll(NULL, 0, 1);
    return connection;
}

static int64_t unfinished_arrays(void)
{
    return number_in_database("SELECT count(*) FROM arrays WHERE sha256 IS NULL");
}

START_TEST(what_a_killed_server_was_uploading_is_gone_after_the_next_start)
{
    restart_ample();
    put_both("kept");
    const int connection = begin_long_upload(2);
    service_kill(&server);
    close(connection);
    ck_assert_int_eq(unfinished_arrays(), 1);
    service_restart(&server);
    expect_arrays(2);
    json_decref(http_call(&server, 404, "GET", "/datasets/a", NULL));
    json_decref(http_call(&server, 204, "DELETE", "/datasets/kept", NULL));
}
END_TEST

/* Milliseconds of "2026-11-24T08:30:00.125Z" in its day. */
static long time_of_day(const char *time)
{
    int hours, minutes, seconds, milliseconds;
    ck_assert_int_eq(
        sscanf(time, "%*10[^T]T%2d:%2d:%2d.%3dZ", &hours, &minutes, &seconds, &milliseconds), 4);
    return ((hours * 60L + minutes) * 60 + seconds) * 1000 + milliseconds;
}

static json_t *long_order(int epochs)
{
    return json_pack("{s:s, s:i, s:f, s:i, s:s}", "dataset", "a", "epochs", epochs,
                     "validation_fraction", 0.3, "batch_size", 5, "optimizer", "adam");
}

/* Trains models calm-EPOCHS until one took long enough to be killed in its middle. */
static int epochs_of_a_while(char *model, size_t size)
{
    enum { DAY = 86400000, LEAST_MS = 800 };
    for (int epochs = 100;; epochs *= 3) {
        snprintf(model, size, "calm-%d", epochs);
        create(model_with_encoder(model));
        json_t *run = train(model, long_order(epochs));
        const long taken =
            time_of_day(text(run, "finished_at")) - time_of_day(text(run, "started_at"));
        json_decref(run);
        if ((taken + DAY) % DAY >= LEAST_MS || epochs * 3 > ENDLESS)
            return epochs;
    }
}

START_TEST(a_run_on_a_dataset_that_is_killed_ends_with_the_same_bits)
{
    char calm[64];
    put_both("a");
    const int epochs = epochs_of_a_while(calm, sizeof calm);
    create(model_with_encoder("killed"));
    const json_int_t id = queue("killed", long_order(epochs));
    json_t *run = await_run(id, has_begun);
    ck_assert_str_eq(text(run, "state"), "running");
    json_decref(run);
    if (_i == 0)
        service_kill(&server);
    service_restart(&server);
    run = await_run(id, has_ended);
    ck_assert_str_eq(text(run, "state"), "succeeded");
    ck_assert_int_eq(integer(run, "epoch"), epochs);
    json_decref(run);
    char *expected = trained(calm, "weight"), *found = trained("killed", "weight");
    ck_assert_str_eq(expected, found);
    free(expected);
    free(found);
}
END_TEST

/* --- a full disk --- */

/* Nothing can be written behind the first so many bytes of a file: as if the disk were full. */
static void limit_files(rlim_t bytes)
{
    const struct rlimit limit = {bytes, RLIM_INFINITY};
    ck_assert_int_eq(prlimit(server.pid, RLIMIT_FSIZE, &limit, NULL), 0);
}

/* SQLite tells a disk that is full from a file that may not grow. */
static void expect_no_room(const struct http_answer *answer)
{
    expect_problem(answer, answer->status == 503 ? 503 : 507,
                   answer->status == 503 ? "store_unavailable" : "store_full");
}

static void await_ready(void)
{
    long status = 0;
    while (status != 200) {
        struct http_answer answer = http_send(&server, "GET", "/health/ready", NULL, NULL);
        status = answer.status;
        http_answer_finish(&answer);
    }
}

/* Where it happens: in the file that the body goes to, or in the database. */
START_TEST(an_upload_that_finds_no_room_is_told_so_and_leaves_nothing_behind)
{
    enum { PIXELS = 1000000 };
    uint8_t *pixels = malloc(PIXELS);
    uint32_t state = 1;
    for (size_t i = 0; i < PIXELS; i++)
        pixels[i] = _i == 0 ? (uint8_t)next_random(&state) : 0;
    struct bytes plain = npy_of("|u1", "(1000, 1000)", pixels, PIXELS);
    struct bytes file = bytes_gzipped(&plain);
    put_both("kept");
    limit_files(_i == 0 ? 500000 : 700000);
    struct http_answer answer = put("/datasets/a/x", &file);
    expect_no_room(&answer);
    http_answer_finish(&answer);
    limit_files(RLIM_INFINITY);
    await_ready();
    expect_arrays(2);
    json_decref(put_file("/datasets/a/x", file));
    expect_arrays(3);
    bytes_finish(&plain);
    free(pixels);
}
END_TEST

/* From the middle of an upload on nothing can be written, so nothing deleted either. */
START_TEST(what_could_not_be_deleted_is_deleted_with_the_next_upload)
{
    char answer[16] = "";
    restart_ample();
    put_both("kept");
    const int connection = begin_long_upload(2);
    limit_files(1);
    ck_assert_int_eq(recv(connection, answer, 12, MSG_WAITALL), 12);
    close(connection);
    ck_assert_msg(strcmp(answer, "HTTP/1.1 507") == 0 || strcmp(answer, "HTTP/1.1 503") == 0, "%s",
                  answer);
    ck_assert_int_eq(unfinished_arrays(), 1);
    limit_files(RLIM_INFINITY);
    await_ready();
    put_x("/datasets/a/x", "|u1");
    expect_arrays(3);
    put_both("a");
    expect_arrays(4);
}
END_TEST

/* --- many at once --- */

struct client {
    pthread_t thread;
    void (*turn)(struct client *client);
    unsigned number;
    atomic_bool *done;
};

static void *take_turns(void *argument)
{
    struct client *client = argument;
    while (!atomic_load(client->done))
        client->turn(client);
    return NULL;
}

/* Uploads x and label of a dataset that two clients share, in types of their own. */
static void upload_turn(struct client *client)
{
    char path[64];
    static const char *const kinds[] = {"|u1", "<f4"};
    snprintf(path, sizeof path, "/datasets/set-%u/x", client->number / 2);
    put_x(path, kinds[client->number % 2]);
    snprintf(path, sizeof path, "/datasets/set-%u/label", client->number / 2);
    put_label(path, "|u1");
}

static void run_clients(struct client *clients, unsigned count, atomic_bool *done)
{
    for (unsigned i = 0; i < count; i++) {
        clients[i].number = i;
        clients[i].done = done;
        ck_assert_int_eq(pthread_create(&clients[i].thread, NULL, take_turns, &clients[i]), 0);
    }
}

static void end_clients(struct client *clients, unsigned count, atomic_bool *done)
{
    atomic_store(done, true);
    for (unsigned i = 0; i < count; i++)
        pthread_join(clients[i].thread, NULL);
}

START_TEST(many_upload_at_once)
{
    enum { CLIENTS = 8, TURNS = 15 };
    atomic_bool done = false;
    struct client clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        clients[i].turn = upload_turn;
    run_clients(clients, CLIENTS, &done);
    for (int i = 0; i < TURNS; i++) {
        put_x("/datasets/mine/x", "<i8");
        json_decref(http_call(&server, 204, "DELETE", "/datasets/mine", NULL));
    }
    end_clients(clients, CLIENTS, &done);
    expect_arrays(CLIENTS);
}
END_TEST

/* Puts and deletes the dataset that others use. */
static void change_turn(struct client *client)
{
    static const double numbers[] = {1, 2, 3, 4};
    struct http_answer answer;
    (void)client;
    struct bytes narrow = npy_of_numbers("|u1", "(4,)", numbers, 4);
    struct bytes table = csv_of("a,c,b,d\n1,0,2,3\n4,1,5,6\n");
    const struct bytes *const bodies[] = {&narrow, &table};
    static const char *const paths[] = {"/datasets/a/x", "/datasets/a?label=c"};
    for (int i = 0; i < 2; i++) {
        answer = put(paths[i], bodies[i]);
        ck_assert_msg(answer.status == 200 || answer.status == 201 || answer.status == 409 ||
                          answer.status == 404 || answer.status == 422,
                      "%ld %s", answer.status, answer.body);
        http_answer_finish(&answer);
        answer = http_send(&server, "DELETE", "/datasets/a", NULL, NULL);
        ck_assert_msg(answer.status == 204 || answer.status == 409 || answer.status == 404,
                      "%ld %s", answer.status, answer.body);
        http_answer_finish(&answer);
    }
    bytes_finish(&narrow);
    bytes_finish(&table);
}

/* What is there is used; what is not, or is another by now, is the client's to hear of. */
static void use_turn(struct client *client)
{
    static const char *const paths[] = {"/models/m/predict", "/models/m/evaluate",
                                        "/models/m/train"};
    struct http_answer answer =
        http_send(&server, "POST", paths[client->number % 3], "{\"dataset\": \"a\"}", NULL);
    ck_assert_msg(
        answer.status == 200 || answer.status == 202 || answer.status == 422 ||
            (answer.status == 503 && strcmp(text(answer.json, "code"), "queue_full") == 0),
        "%s: %ld %s", paths[client->number % 3], answer.status, answer.body);
    http_answer_finish(&answer);
}

START_TEST(a_dataset_may_change_while_others_use_it)
{
    enum { CLIENTS = 7, CHANGES = 60 };
    atomic_bool done = false;
    struct client clients[CLIENTS];
    create(model_with_encoder("m"));
    for (int i = 0; i < CLIENTS; i++)
        clients[i].turn = i == CLIENTS - 1 ? change_turn : use_turn;
    run_clients(clients, CLIENTS, &done);
    struct client mine = {0};
    for (int i = 0; i < CHANGES; i++)
        change_turn(&mine);
    end_clients(clients, CLIENTS, &done);
    json_t *failed = get("/runs?state=failed");
    char *list = json_dumps(failed, 0);
    ck_assert_msg(json_array_size(json_object_get(failed, "runs")) == 0, "%.1000s", list);
    free(list);
    json_decref(failed);
}
END_TEST

static TCase *test_case(const char *name, Suite *suite)
{
    TCase *tests = tcase_create(name);
    tcase_add_checked_fixture(tests, start_server, stop_server);
    tcase_set_timeout(tests, 2 * SERVICE_SECONDS);
    suite_add_tcase(suite, tests);
    return tests;
}

static void add_files(Suite *suite)
{
    TCase *tests = test_case("files", suite);
    tcase_add_loop_test(tests, arrays_of_every_type_are_kept_as_they_are, 0, ROWS(types));
    tcase_add_loop_test(tests, idx_is_taken_gzipped_or_not, 0, 2);
    tcase_add_test(tests, an_upload_without_length_is_taken);
    tcase_add_loop_test(tests, a_table_becomes_features_and_named_classes, 0, 2);
    tcase_add_test(tests, a_table_may_have_numbers_for_labels_or_none);
    tcase_add_test(tests, a_dataset_is_created_by_its_first_part_alone);
    tcase_add_test(tests, a_new_array_takes_the_place_of_the_old_one);
    tcase_add_loop_test(tests, samples_and_labels_have_to_be_equally_many, 0, 2);
    tcase_add_test(tests, datasets_are_listed_newest_first_page_by_page);
    tcase_add_test(tests, a_deleted_dataset_is_gone_with_its_arrays);
    tcase_add_loop_test(tests, what_is_no_such_file_is_refused_and_leaves_nothing_behind, 0,
                        ROWS(hostile));
    tcase_add_test(tests, arrays_in_fortrans_order_are_refused);
    tcase_add_loop_test(tests, damaged_gzip_is_refused_and_leaves_nothing_behind, 0, 3);
    tcase_add_loop_test(tests, a_bomb_does_not_go_off, 0, 3);
    tcase_add_test(tests, a_table_may_be_as_large_as_an_array);
    tcase_add_loop_test(tests, an_upload_beyond_the_limit_is_refused, 0, 2);
    tcase_add_test(tests, a_file_is_not_taken_for_json);
    tcase_add_loop_test(tests, an_id_that_is_none_is_not_found, 0, 4);
}

static void add_uses(Suite *suite)
{
    TCase *tests = test_case("uses", suite);
    tcase_add_loop_test(tests, predictions_and_evaluations_are_those_of_the_same_samples, 0,
                        ROWS(types));
    tcase_add_loop_test(tests, without_an_encoder_samples_are_spike_times, 0, 2);
    tcase_add_loop_test(tests, training_is_that_on_the_same_samples, 0, 2);
    tcase_add_test(tests, the_share_for_validation_is_that_of_the_same_samples);
    tcase_add_loop_test(tests, a_dataset_may_be_for_validation, 0, 2);
    tcase_add_test(tests, names_of_a_table_are_the_models_whatever_their_order);
    tcase_add_loop_test(tests, a_dataset_that_does_not_suit_is_refused_by_field, 0,
                        ROWS(unsuitable));
    tcase_add_test(tests, more_work_than_one_request_may_ask_for_is_refused);
    tcase_add_test(tests, half_a_dataset_is_told_what_it_misses);
    tcase_add_test(tests, a_dataset_in_use_is_neither_deleted_nor_changed);
    tcase_add_loop_test(tests, a_queued_run_alone_keeps_its_dataset, 0, 2);
    tcase_add_loop_test(tests, a_models_labels_stay_while_a_run_needs_their_names, 0, 2);
    tcase_add_test(tests, a_run_keeps_the_checksum_of_a_dataset_that_is_gone);
}

static void add_faults(Suite *suite)
{
    TCase *tests = test_case("faults", suite);
    tcase_add_test(tests, what_a_killed_server_was_uploading_is_gone_after_the_next_start);
    tcase_add_loop_test(tests, a_run_on_a_dataset_that_is_killed_ends_with_the_same_bits, 0, 2);
    tcase_add_loop_test(tests, an_upload_that_finds_no_room_is_told_so_and_leaves_nothing_behind, 0,
                        2);
    tcase_add_test(tests, what_could_not_be_deleted_is_deleted_with_the_next_upload);
    tcase_add_test(tests, many_upload_at_once);
    tcase_add_test(tests, a_dataset_may_change_while_others_use_it);
}

int main(void)
{
    Suite *suite = suite_create("datasets");
    add_files(suite);
    add_uses(suite);
    add_faults(suite);
    return suite_run(suite);
}
