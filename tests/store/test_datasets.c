/* Datasets in the store: what runs that use them hold fast, and what a reader sees meanwhile. */
#include <check.h>
#include <stdlib.h>

#include "server/store/datasets.h"
#include "tests/support/stored.h"
#include "tests/support/suite.h"

START_TEST(a_run_is_not_queued_on_a_dataset_that_has_changed)
{
    int64_t run = 0;
    struct dataset_record dataset;
    struct data_source none = {0};
    insert_model("iris");
    put_dataset("a", 1);
    ck_assert_int_eq(store_dataset_find(store, "a", &dataset), STORE_OK);
    struct data_source data = {.dataset = dataset.sequence};
    memcpy(data.sha256, dataset.sha256, sizeof data.sha256);
    const int64_t model = sequence_of("iris");
    put_dataset("a", 2);
    ck_assert_int_eq(store_queue_insert(store, model, "{}", 1, 0, &data, &none, 1, &run),
                     STORE_MISMATCH);
    put_dataset("a", 1);
    ck_assert_int_eq(store_queue_insert(store, model, "{}", 1, 0, &data, &none, 1, &run), STORE_OK);
    ck_assert_int_eq(store_dataset_delete(store, "a"), STORE_IN_USE);
    enum run_state state;
    ck_assert_int_eq(store_queue_cancel(store, run, 1, &state), STORE_OK);
    ck_assert_int_eq(store_dataset_delete(store, "a"), STORE_OK);
    ck_assert_int_eq(store_queue_insert(store, model, "{}", 1, 0, &none, &data, 1, &run),
                     STORE_MISMATCH);
    ck_assert_int_eq(store_queue_insert(store, model + 1, "{}", 1, 0, &data, &none, 1, &run),
                     STORE_NOT_FOUND);
    dataset_record_finish(&dataset);
}
END_TEST

START_TEST(a_snapshot_is_of_one_moment)
{
    void *value;
    struct store *reader;
    struct dataset_record before, found;
    put_dataset("a", 1);
    ck_assert_int_eq(store_open_reader(store_path, &reader), STORE_OK);
    ck_assert_int_eq(store_snapshot_begin(reader), STORE_OK);
    ck_assert_int_eq(store_dataset_find(reader, "a", &before), STORE_OK);
    put_dataset("a", 2);
    ck_assert_int_eq(store_dataset_delete(store, "a"), STORE_OK);
    while (store_array_sweep(store) == STORE_OK)
        ;
    ck_assert_int_eq(store_array_load(reader, &before.x, &value), STORE_OK);
    ck_assert_int_eq(*(uint8_t *)value, 1);
    free(value);
    store_snapshot_end(reader);
    ck_assert_int_eq(store_array_load(reader, &before.x, &value), STORE_CORRUPT);
    ck_assert_int_eq(store_dataset_find(reader, "a", &found), STORE_NOT_FOUND);
    dataset_record_finish(&before);
    store_close(reader);
}
END_TEST

static bool always(void *context)
{
    (void)context;
    return true;
}

START_TEST(a_stop_ends_the_reading_of_an_array)
{
    void *value;
    struct dataset_record found;
    const struct stop_check stop_check = {NULL, always};
    put_dataset("a", 1);
    ck_assert_int_eq(store_dataset_find(store, "a", &found), STORE_OK);
    store_set_stop_check(store, &stop_check);
    ck_assert_int_eq(store_array_load(store, &found.x, &value), STORE_STOPPED);
    store_set_stop_check(store, NULL);
    ck_assert_int_eq(store_array_load(store, &found.x, &value), STORE_OK);
    free(value);
    dataset_record_finish(&found);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store datasets");
    TCase *tests = suite_case(suite, "datasets", store_set_up, store_tear_down, 30);
    tcase_add_test(tests, a_run_is_not_queued_on_a_dataset_that_has_changed);
    tcase_add_test(tests, a_snapshot_is_of_one_moment);
    tcase_add_test(tests, a_stop_ends_the_reading_of_an_array);
    return suite_run(suite);
}
