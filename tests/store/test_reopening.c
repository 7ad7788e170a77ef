/* The store by itself: what is still there after its file was closed, and what is refused where the
 * file was damaged, or made by somebody else. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/stored.h"
#include "tests/support/suite.h"
#include "tests/support/views.h"

START_TEST(reopening_keeps_everything)
{
    struct model_record record;
    insert_model("iris");
    const int64_t ended = insert_run("iris", &other_samples), queued = insert_run("iris", NULL);
    claim_run(3000);
    add_epochs(ended, 1, 2);
    succeed_run(ended, other_six);
    store_reopen();
    ck_assert_int_eq(store_model_find(store, "iris", &record), STORE_OK);
    ck_assert_int_eq(record.version, 2);
    ck_assert_str_eq(record.config, "{\"T\":100}");
    model_record_finish(&record);
    expect_weight("iris", 1, six);
    expect_weight("iris", 2, other_six);
    expect_queued_run(queued);
    ck_assert_int_eq(state_of(ended), RUN_SUCCEEDED);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM metrics"), 2);
    expect_samples(ended, true, &other_samples);
}
END_TEST

START_TEST(readers_see_what_was_committed_and_write_nothing)
{
    struct store *writer = store;
    insert_model("iris");
    ck_assert_int_eq(store_open_reader(store_path, &store), STORE_OK);
    expect_weight("iris", 1, six);
    const struct model_change change = {.description = "changed"};
    ck_assert_int_ne(store_model_update(store, sequence_of("iris"), &change, 1), STORE_OK);
    struct store *reader = store;
    store = writer;
    insert_model("second");
    store = reader;
    expect_models(0, 8, "second iris");
    store_close(reader);
    store = writer;
}
END_TEST

START_TEST(a_second_writer_is_refused)
{
    struct store *second = NULL;
    insert_model("iris");
    ck_assert_int_eq(store_open_writer(store_path, &second), STORE_LOCKED);
    ck_assert_ptr_null(second);
    insert_model("goes-on");
    store_close(store);
    store = NULL;
    ck_assert_int_eq(store_open_writer(store_path, &store), STORE_OK);
    expect_models(0, 8, "goes-on iris");
}
END_TEST

/* The whole file, with a terminating zero. free(). */
static unsigned char *read_file(size_t *ret_size)
{
    FILE *file = fopen(store_path, "rb");
    ck_assert_ptr_nonnull(file);
    fseek(file, 0, SEEK_END);
    const size_t size = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = calloc(1, size + 1);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(fread(bytes, 1, size, file), size);
    fclose(file);
    *ret_size = size;
    return bytes;
}

static void write_file(const void *bytes, size_t size)
{
    FILE *file = fopen(store_path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

static void expect_refused_untouched(enum store_status expected)
{
    size_t before_size, after_size;
    unsigned char *before = read_file(&before_size);
    ck_assert_int_eq(store_open_writer(store_path, &store), expected);
    ck_assert_ptr_null(store);
    unsigned char *after = read_file(&after_size);
    ck_assert_uint_eq(before_size, after_size);
    ck_assert_mem_eq(before, after, after_size);
    free(before);
    free(after);
}

static void close_store(void)
{
    store_close(store);
    store = NULL;
}

START_TEST(a_newer_database_is_refused_untouched)
{
    insert_model("iris");
    close_store();
    run_sql("PRAGMA user_version = 1000");
    expect_refused_untouched(STORE_NEWER);
}
END_TEST

START_TEST(another_programs_database_is_refused_untouched)
{
    close_store();
    unlink(store_path);
    run_sql("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)");
    expect_refused_untouched(STORE_FOREIGN);
    run_sql("PRAGMA application_id = 12345; PRAGMA user_version = 1");
    expect_refused_untouched(STORE_FOREIGN);
}
END_TEST

START_TEST(a_file_that_is_not_a_database_is_refused_and_left_untouched)
{
    static const char text[] = "A letter to my mother, long enough to be taken for a header.....";
    char letter[8192];
    for (size_t i = 0; i < sizeof letter; i++)
        letter[i] = text[i % (sizeof text - 1)];
    close_store();
    write_file(letter, sizeof letter);
    expect_refused_untouched(STORE_BROKEN);
}
END_TEST

START_TEST(a_file_that_cant_be_opened_is_unavailable)
{
    struct store *none = NULL;
    ck_assert_int_eq(store_open_writer("/nowhere/at/all.db", &none), STORE_UNAVAILABLE);
    ck_assert_int_eq(store_open_reader("/nowhere/at/all.db", &none), STORE_UNAVAILABLE);
    ck_assert_ptr_null(none);
}
END_TEST

/* Flips one bit of the only place where the file holds these bytes. */
static void damage(const void *bytes, size_t size)
{
    size_t file_size;
    close_store();
    unsigned char *file = read_file(&file_size);
    unsigned char *place = memmem(file, file_size, bytes, size);
    ck_assert_ptr_nonnull(place);
    ck_assert_ptr_null(memmem(place + 1, file_size - (size_t)(place + 1 - file), bytes, size));
    place[size / 2] ^= 1;
    write_file(file, file_size);
    free(file);
    ck_assert_int_eq(store_open_writer(store_path, &store), STORE_OK);
}

START_TEST(a_flipped_bit_in_a_tensor_is_detected)
{
    int64_t version;
    struct tensors tensors = {.count = 77};
    const struct tensor tensor = weight_of(other_six);
    insert_model("iris");
    ck_assert_int_eq(
        store_version_insert(store, sequence_of("iris"), seal(&tensor, 1), 1500, &version),
        STORE_OK);
    damage(other_six, sizeof other_six);
    ck_assert_int_eq(store_version_load(store, sequence_of("iris"), version, &tensors),
                     STORE_CORRUPT);
    ck_assert_uint_eq(tensors.count, 77);
    expect_weight("iris", 1, six);
}
END_TEST

START_TEST(a_flipped_bit_in_samples_is_detected)
{
    float values[] = {8.5f, 7.25f, -6.125f, 5e5f, 4e-4f, 3};
    int32_t label[] = {0x123456, 0x654321};
    const struct samples marked[] = {
        view_values(SAMPLES_VALUES, 2, 3, values, two_samples.targets.label),
        view_values(SAMPLES_VALUES, 2, 3, two_samples.data.values, label)};
    struct samples none = {.count = 77};
    int64_t run;
    insert_model("iris");
    ck_assert_int_eq(store_queue_insert(store, sequence_of("iris"), "{}", 9, 0,
                                        &(struct data_source[]){source_of(&marked[0])}[0],
                                        &(struct data_source[]){source_of(&marked[1])}[0], 2000,
                                        &run),
                     STORE_OK);
    damage(values, sizeof values);
    ck_assert_int_eq(store_samples_load(store, run, false, &none), STORE_CORRUPT);
    expect_samples(run, true, &marked[1]);
    damage(label, sizeof label);
    ck_assert_int_eq(store_samples_load(store, run, true, &none), STORE_CORRUPT);
    ck_assert_uint_eq(none.count, 77);
}
END_TEST

START_TEST(a_mended_shape_does_not_pass_for_the_stored_one)
{
    struct samples none;
    insert_model("iris");
    const int64_t run = insert_run("iris", NULL);
    close_store();
    run_sql("UPDATE samples SET kind = 1");
    ck_assert_int_eq(store_open_writer(store_path, &store), STORE_OK);
    ck_assert_int_eq(store_samples_load(store, run, false, &none), STORE_CORRUPT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_reopening");
    TCase *tests = suite_case(suite, "the file", store_set_up, store_tear_down, 30);
    tcase_add_test(tests, reopening_keeps_everything);
    tcase_add_test(tests, readers_see_what_was_committed_and_write_nothing);
    tcase_add_test(tests, a_second_writer_is_refused);
    tcase_add_test(tests, a_newer_database_is_refused_untouched);
    tcase_add_test(tests, another_programs_database_is_refused_untouched);
    tcase_add_test(tests, a_file_that_is_not_a_database_is_refused_and_left_untouched);
    tcase_add_test(tests, a_file_that_cant_be_opened_is_unavailable);
    tcase_add_test(tests, a_flipped_bit_in_a_tensor_is_detected);
    tcase_add_test(tests, a_flipped_bit_in_samples_is_detected);
    tcase_add_test(tests, a_mended_shape_does_not_pass_for_the_stored_one);
    return suite_run(suite);
}
