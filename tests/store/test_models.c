/* The store by itself: what each call does to models and their versions. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/store/sizes.h"
#include "tests/support/stored.h"
#include "tests/support/suite.h"

/* --- models --- */

static void expect_first_model(const struct model_record *record)
{
    ck_assert_int_eq(record->sequence, 1);
    ck_assert_str_eq(record->id, "iris");
    ck_assert_str_eq(record->description, "three flowers");
    ck_assert_str_eq(record->config, "{\"T\":100}");
    ck_assert_str_eq(record->labels, "[\"a\",\"b\"]");
    ck_assert_int_eq(record->version, 1);
    ck_assert_int_eq(record->created_at, 1000);
    ck_assert_int_eq(record->updated_at, 1000);
}

START_TEST(a_model_reads_back_as_it_was_written)
{
    struct model_record record;
    insert_model("iris");
    ck_assert_int_eq(store_model_find(store, "iris", &record), STORE_OK);
    expect_first_model(&record);
    model_record_finish(&record);
    expect_weight("iris", 1, six);
}
END_TEST

START_TEST(the_longest_id_is_kept_whole)
{
    char id[LIMIT_ID + 1];
    struct model_record record;
    memset(id, 'z', LIMIT_ID);
    id[LIMIT_ID] = '\0';
    insert_model(id);
    ck_assert_int_eq(store_model_find(store, id, &record), STORE_OK);
    ck_assert_str_eq(record.id, id);
    model_record_finish(&record);
}
END_TEST

START_TEST(the_size_of_a_model_is_that_of_its_texts_and_of_the_tensors_asked_for)
{
    insert_model("iris");
    ck_assert_uint_eq(store_size_of_model(store, "iris", "encoder.", 1000), 18);
    ck_assert_uint_eq(store_size_of_model(store, "iris", "weight", 1000), 18 + 6 * 10);
    ck_assert_uint_eq(store_size_of_model(store, "iris", "weight", 17), 18);
    ck_assert_uint_eq(store_size_of_model(store, "no", "weight", 1000), 0);
    insert_model("other");
    ck_assert_uint_eq(store_size_of_models(store, 0, 10), 2 * 18);
    ck_assert_uint_eq(store_size_of_models(store, 0, 1), 18);
    run_sql("UPDATE models SET labels = NULL");
    ck_assert_uint_eq(store_size_of_models(store, 0, 10), 0); /* nothing of them is long */
    run_sql("UPDATE models SET summary = '{}' WHERE id = 'iris'");
    ck_assert_uint_eq(store_size_of_models(store, 0, 10), 9);
}
END_TEST

START_TEST(the_size_of_a_dataset_is_that_of_its_names)
{
    put_dataset("one", 1);
    put_dataset("two", 1);
    ck_assert_uint_eq(store_size_of_datasets(store, 0, 10), 0);
    run_sql("UPDATE datasets SET names = '[\"a\"]' WHERE id = 'one'");
    ck_assert_uint_eq(store_size_of_dataset(store, "one"), 5);
    ck_assert_uint_eq(store_size_of_dataset(store, "two"), 0);
    ck_assert_uint_eq(store_size_of_dataset(store, "no"), 0);
    ck_assert_uint_eq(store_size_of_datasets(store, 0, 10), 5);
    ck_assert_uint_eq(store_size_of_datasets(store, 0, 1), 0); /* the newest is "two" */
}
END_TEST

START_TEST(a_taken_id_changes_nothing)
{
    insert_model("iris");
    ck_assert_int_eq(try_model("iris", 7777), STORE_TAKEN);
    struct model_record record;
    ck_assert_int_eq(store_model_find(store, "iris", &record), STORE_OK);
    expect_first_model(&record);
    model_record_finish(&record);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM versions"), 1);
}
END_TEST

START_TEST(what_is_not_there_is_not_found)
{
    const struct tensor tensor = weight_of(six);
    const struct run_end success = {.state = RUN_SUCCEEDED, .tensors = seal(&tensor, 1)};
    const struct model_change change = {.description = "new"};
    struct tensors tensors = {.count = 77};
    struct samples none = {.count = 77};
    struct model_record model = {.version = 77};
    struct run_record run = {.id = 77};
    struct version_record versions[1];
    struct epoch_metrics metrics[1];
    enum run_state state = RUN_FAILED;
    int64_t number = 77;
    size_t count = 77;

    ck_assert_int_eq(store_model_find(store, "no", &model), STORE_NOT_FOUND);
    ck_assert_int_eq(store_model_update(store, sequence_of("no"), &change, 1), STORE_NOT_FOUND);
    ck_assert_int_eq(store_model_delete(store, "no"), STORE_NOT_FOUND);
    ck_assert_int_eq(store_version_insert(store, sequence_of("no"), seal(&tensor, 1), 1, &number),
                     STORE_NOT_FOUND);
    ck_assert_int_eq(store_version_list(store, "no", 0, 1, versions, &count), STORE_NOT_FOUND);
    ck_assert_int_eq(store_version_load(store, sequence_of("no"), 1, &tensors), STORE_NOT_FOUND);
    ck_assert_int_eq(store_queue_insert(store, sequence_of("no"), "{}", 1, 0,
                                        &(struct data_source[]){source_of(&two_samples)}[0],
                                        &(struct data_source){0}, 1, &number),
                     STORE_NOT_FOUND);
    ck_assert_int_eq(store_run_find(store, 1, &run), STORE_NOT_FOUND);
    ck_assert_int_eq(store_run_list(store, "no", -1, 0, 1, &run, &count), STORE_NOT_FOUND);
    ck_assert_int_eq(store_run_metrics(store, 1, 0, 1, metrics, &count), STORE_NOT_FOUND);
    ck_assert_int_eq(store_samples_load(store, 1, false, &none), STORE_NOT_FOUND);
    ck_assert_int_eq(store_queue_claim(store, 1, takes_any_memory, NULL, &run), STORE_NOT_FOUND);
    ck_assert_int_eq(store_queue_cancel(store, 1, 1, &state), STORE_NOT_FOUND);
    ck_assert_int_eq(store_run_end(store, 1, NULL, 0, &success, 1), STORE_NOT_FOUND);

    ck_assert_int_eq(model.version, 77);
    ck_assert_int_eq(run.id, 77);
    ck_assert_int_eq(number, 77);
    ck_assert_int_eq(state, RUN_FAILED);
    ck_assert_uint_eq(count, 77);
    ck_assert_uint_eq(tensors.count, 77);
    ck_assert_uint_eq(none.count, 77);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM samples"), 0);
}
END_TEST

START_TEST(models_are_listed_newest_first)
{
    static const char *const ids[] = {"a", "b", "c", "d", "e"};
    expect_models(0, 8, "");
    for (size_t i = 0; i < 5; i++)
        insert_model(ids[i]);
    expect_models(0, 8, "e d c b a");
    int64_t cursor = expect_models(0, 2, "e d");
    ck_assert_int_eq(store_model_delete(store, "c"), STORE_OK);
    cursor = expect_models(cursor, 2, "b a");
    expect_models(cursor, 2, "");
}
END_TEST

static void expect_change(const struct model_change *change, const char *description,
                          const char *labels, int64_t version)
{
    struct model_record record;
    static int64_t now = 3000;
    now++;
    ck_assert_int_eq(store_model_update(store, sequence_of("iris"), change, now), STORE_OK);
    ck_assert_int_eq(store_model_find(store, "iris", &record), STORE_OK);
    ck_assert_str_eq(record.description, description);
    ck_assert_pstr_eq(record.labels, labels);
    ck_assert_int_eq(record.version, version);
    ck_assert_int_eq(record.created_at, 1000);
    ck_assert_int_eq(record.updated_at, now);
    model_record_finish(&record);
}

START_TEST(a_change_touches_only_what_it_names)
{
    int64_t version;
    const struct tensor tensor = weight_of(other_six);
    insert_model("iris");
    ck_assert_int_eq(
        store_version_insert(store, sequence_of("iris"), seal(&tensor, 1), 1500, &version),
        STORE_OK);
    expect_change(&(struct model_change){.description = ""}, "", "[\"a\",\"b\"]", 2);
    expect_change(&(struct model_change){.labels = "[\"c\"]"}, "", "[\"c\"]", 2);
    expect_change(&(struct model_change){.version = 1}, "", "[\"c\"]", 1);
    expect_change(&(struct model_change){.remove_labels = true}, "", NULL, 1);
    const struct model_change unknown = {.description = "x", .version = 3};
    ck_assert_int_eq(store_model_update(store, sequence_of("iris"), &unknown, 9999),
                     STORE_NOT_FOUND);
    expect_change(&(struct model_change){.description = "y"}, "y", NULL, 1);
}
END_TEST

/* They are of what the client sent: whatever holds the writer does not compute them. */
START_TEST(checksums_are_those_that_come_along)
{
    int64_t version, run;
    struct tensors tensors;
    struct samples samples;
    const struct tensor tensor = weight_of(six);
    struct sealed_tensors sealed = tensors_seal(&tensor, 1);
    struct data_source source = source_of(&two_samples), none = {0};
    ck_assert_str_eq(sealed.sha256, SIX_SHA256);
    ck_assert_str_eq(source.sha256, TWO_SAMPLES_SHA256);
    sealed.sha256[0] = source.sha256[0] = 'f';
    insert_model("iris");
    const int64_t model = sequence_of("iris");
    ck_assert_int_eq(store_version_insert(store, model, &sealed, 1500, &version), STORE_OK);
    ck_assert_int_eq(store_version_load(store, model, version, &tensors), STORE_CORRUPT);
    ck_assert_int_eq(store_queue_insert(store, model, "{}", 1, 0, &source, &none, 1, &run),
                     STORE_OK);
    ck_assert_int_eq(store_samples_load(store, run, false, &samples), STORE_CORRUPT);
}
END_TEST

START_TEST(a_change_of_other_columns_does_not_make_damage_sound)
{
    struct model_record record;
    const struct model_change change = {.description = "new"};
    insert_model("iris");
    run_sql("UPDATE models SET config = '{}'");
    ck_assert_int_eq(store_model_update(store, 1, &change, 1500), STORE_OK);
    ck_assert_int_eq(store_model_find(store, "iris", &record), STORE_CORRUPT);
}
END_TEST

static void sweep_all(void)
{
    while (store_version_sweep(store) == STORE_OK)
        ;
    while (store_run_sweep(store) == STORE_OK)
        ;
    while (store_samples_sweep(store) == STORE_OK)
        ;
}

START_TEST(a_model_goes_with_all_that_is_its_own)
{
    const struct epoch_metrics metrics = {.epoch = 1, .loss = 1, .accuracy = 0.5};
    insert_model("iris");
    insert_model("stays");
    const int64_t run = insert_run("iris", &other_samples);
    insert_run("stays", NULL);
    ck_assert_int_eq(store_model_delete(store, "iris"), STORE_IN_USE);
    ck_assert_int_eq(claim_run(3000), run);
    ck_assert_int_eq(store_model_delete(store, "iris"), STORE_IN_USE);
    ck_assert_int_eq(store_run_progress(store, run, &metrics, 1), STORE_OK);
    succeed_run(run, other_six);
    ck_assert_int_eq(store_model_delete(store, "iris"), STORE_OK);

    ck_assert_int_eq(ask_sql("SELECT count(*) FROM models"), 1);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM runs"), 1);
    sweep_all();
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM metrics"), 0);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM removed_runs"), 0);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM versions"), 1);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM tensors"), 1);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM removed_models"), 0);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM samples"), 1);
    expect_samples(run + 1, false, &two_samples);
}
END_TEST

/* Tensors that together are too large for a piece. */
START_TEST(large_versions_are_swept_one_by_one_and_small_ones_together)
{
    enum { ROWS = 2048, COLUMNS = 2048 }; /* 16 MiB */
    int64_t version;
    float *values = calloc((size_t)ROWS * COLUMNS, sizeof *values);
    ck_assert_ptr_nonnull(values);
    const struct tensor large = {
        .name = "weight", .rows = ROWS, .columns = COLUMNS, .values = values};
    const struct tensor small = weight_of(six);
    insert_model("iris");
    insert_model("stays");
    const int64_t model = sequence_of("iris");
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(
            store_version_insert(store, model, seal(i == 2 ? &small : &large, 1), 1, &version),
            STORE_OK);
    free(values);
    ck_assert_int_eq(store_version_sweep(store), STORE_NOT_FOUND);
    ck_assert_int_eq(store_model_delete(store, "iris"), STORE_OK);
    insert_model("iris");
    const int left[] = {4, 2, 1, 0};
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        char sql[96];
        snprintf(sql, sizeof sql, "SELECT count(*) FROM versions WHERE model = %lld",
                 (long long)model);
        ck_assert_int_eq(ask_sql(sql), left[i]);
        ck_assert_int_eq(store_version_sweep(store), STORE_OK);
    }
    ck_assert_int_eq(store_version_sweep(store), STORE_NOT_FOUND);
    expect_weight("iris", 1, six);
    expect_weight("stays", 1, six);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM tensors"), 2);
}
END_TEST

START_TEST(a_damaged_note_of_a_deleted_model_deletes_no_other)
{
    insert_model("iris");
    run_sql("INSERT INTO removed_models (model) SELECT sequence FROM models");
    ck_assert_int_eq(store_version_sweep(store), STORE_NOT_FOUND);
    expect_weight("iris", 1, six);
}
END_TEST

START_TEST(many_metrics_are_swept_in_pieces_and_those_of_other_runs_stay)
{
    insert_model("iris");
    insert_model("stays");
    const int64_t run = insert_run("iris", NULL), stays = insert_run("stays", NULL);
    ck_assert_int_eq(claim_run(3000), run);
    ck_assert_int_eq(claim_run(3000), stays);
    add_epochs(stays, 1, 2);
    succeed_run(run, six);
    run_sql("INSERT INTO metrics (run, epoch, loss, accuracy) WITH RECURSIVE n (i) AS (SELECT 1 "
            "UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT 1, i, 0, 0 FROM n");
    ck_assert_int_eq(store_model_delete(store, "iris"), STORE_OK);
    run_sql("INSERT INTO removed_runs (run) VALUES (2)"); /* damage */
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM metrics"), 20002);
    ck_assert_int_eq(store_run_sweep(store), STORE_OK);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM metrics"), 20002 - 16384);
    ck_assert_int_eq(store_run_sweep(store), STORE_OK);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM metrics"), 2);
    ck_assert_int_eq(store_run_sweep(store), STORE_OK);
    ck_assert_int_eq(store_run_sweep(store), STORE_NOT_FOUND);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM metrics WHERE run = 2"), 2);
}
END_TEST

START_TEST(numbers_are_not_given_twice)
{
    insert_model("iris");
    const int64_t run = insert_run("iris", NULL);
    claim_run(3000);
    succeed_run(run, six);
    ck_assert_int_eq(store_model_delete(store, "iris"), STORE_OK);
    insert_model("iris");
    ck_assert_int_eq(insert_run("iris", NULL), run + 1);
    expect_models(0, 8, "iris");
    ck_assert_int_eq(ask_sql("SELECT sequence FROM models"), 2);
}
END_TEST

/* --- versions --- */

START_TEST(each_version_is_the_next_and_is_served)
{
    int64_t version = 0;
    const struct tensor tensor = weight_of(other_six);
    const struct model_change back = {.version = 1};
    insert_model("iris");
    ck_assert_int_eq(
        store_version_insert(store, sequence_of("iris"), seal(&tensor, 1), 1500, &version),
        STORE_OK);
    ck_assert_int_eq(version, 2);
    ck_assert_int_eq(served_by_store("iris"), 2);
    ck_assert_int_eq(store_model_serves(store, sequence_of("iris"), 2), STORE_OK);
    ck_assert_int_eq(store_model_serves(store, sequence_of("iris"), 1), STORE_NOT_FOUND);
    ck_assert_int_eq(store_model_update(store, sequence_of("iris"), &back, 1600), STORE_OK);
    ck_assert_int_eq(served_by_store("iris"), 1);
    ck_assert_int_eq(
        store_version_insert(store, sequence_of("iris"), seal(&tensor, 1), 1700, &version),
        STORE_OK);
    ck_assert_int_eq(version, 3);
    ck_assert_int_eq(served_by_store("iris"), 3);
    expect_weight("iris", 1, six);
    expect_weight("iris", 2, other_six);
    expect_weight("iris", 3, other_six);
    struct tensors none;
    ck_assert_int_eq(store_version_load(store, sequence_of("iris"), 4, &none), STORE_NOT_FOUND);
}
END_TEST

START_TEST(versions_are_listed_newest_first_with_their_origin)
{
    struct version_record records[4];
    size_t count = 0;
    insert_model("iris");
    const int64_t run = insert_run("iris", NULL);
    claim_run(3000);
    ck_assert_int_eq(succeed_run(run, six), 2);

    ck_assert_int_eq(store_version_list(store, "iris", 0, 4, records, &count), STORE_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(records[0].version, 2);
    ck_assert_int_eq(records[0].run, run);
    ck_assert_int_eq(records[0].created_at, 5000);
    ck_assert_str_eq(records[0].sha256, SIX_SHA256);
    ck_assert_int_eq(records[1].version, 1);
    ck_assert_int_eq(records[1].run, 0);
    ck_assert_int_eq(records[1].created_at, 1000);
    ck_assert_str_eq(records[1].sha256, SIX_SHA256);

    ck_assert_int_eq(store_version_list(store, "iris", 0, 1, records, &count), STORE_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(store_version_list(store, "iris", records[0].version, 4, records, &count),
                     STORE_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(records[0].version, 1);
}
END_TEST

START_TEST(several_tensors_keep_names_shapes_and_order)
{
    int64_t version;
    const struct tensor both[] = {
        {.name = "a tensor name of 31 characters.", .rows = 3, .columns = 2, .values = six},
        {.name = "bias", .rows = 1, .columns = 6, .values = other_six},
    };
    struct tensors tensors;
    insert_model("iris");
    ck_assert_int_eq(
        store_version_insert(store, sequence_of("iris"), seal(both, 2), 1500, &version), STORE_OK);
    ck_assert_int_eq(store_version_load(store, sequence_of("iris"), version, &tensors), STORE_OK);
    ck_assert_uint_eq(tensors.count, 2);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_str_eq(tensors.items[i].name, both[i].name);
        ck_assert_uint_eq(tensors.items[i].rows, both[i].rows);
        ck_assert_uint_eq(tensors.items[i].columns, both[i].columns);
        ck_assert_mem_eq(tensors.items[i].values, both[i].values, sizeof six);
    }
    tensors_finish(&tensors);
}
END_TEST

START_TEST(tensors_are_found_by_the_beginning_of_their_names)
{
    int64_t version;
    const struct tensor three[] = {
        weight_of(six),
        {.name = "encoder.x_min", .rows = 1, .columns = 6, .values = other_six},
        {.name = "encoder.x_max", .rows = 1, .columns = 2, .values = six},
    };
    struct tensors tensors;
    insert_model("iris");
    const int64_t iris = sequence_of("iris");
    ck_assert_int_eq(store_version_insert(store, iris, seal(three, 3), 1500, &version), STORE_OK);
    ck_assert_int_eq(store_version_peek(store, iris, version, "encoder.", &tensors), STORE_OK);
    ck_assert_uint_eq(tensors.count, 2);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_str_eq(tensors.items[i].name, three[i + 1].name);
        ck_assert_uint_eq(tensors.items[i].columns, three[i + 1].columns);
        ck_assert_mem_eq(tensors.items[i].values, three[i + 1].values,
                         three[i + 1].columns * sizeof(float));
    }
    tensors_finish(&tensors);
    ck_assert_int_eq(store_version_peek(store, iris, version, "encoders", &tensors),
                     STORE_NOT_FOUND);
    ck_assert_int_eq(store_version_peek(store, iris, 1, "encoder.", &tensors), STORE_NOT_FOUND);
    ck_assert_int_eq(store_version_load(store, iris, version, &tensors), STORE_OK);
    ck_assert_uint_eq(tensors.count, 3);
    tensors_finish(&tensors);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_models");
    TCase *tests = suite_case(suite, "models and versions", store_set_up, store_tear_down, 30);
    tcase_add_test(tests, a_model_reads_back_as_it_was_written);
    tcase_add_test(tests, the_longest_id_is_kept_whole);
    tcase_add_test(tests, the_size_of_a_model_is_that_of_its_texts_and_of_the_tensors_asked_for);
    tcase_add_test(tests, the_size_of_a_dataset_is_that_of_its_names);
    tcase_add_test(tests, a_taken_id_changes_nothing);
    tcase_add_test(tests, what_is_not_there_is_not_found);
    tcase_add_test(tests, models_are_listed_newest_first);
    tcase_add_test(tests, a_change_touches_only_what_it_names);
    tcase_add_test(tests, checksums_are_those_that_come_along);
    tcase_add_test(tests, a_change_of_other_columns_does_not_make_damage_sound);
    tcase_add_test(tests, a_model_goes_with_all_that_is_its_own);
    tcase_add_test(tests, large_versions_are_swept_one_by_one_and_small_ones_together);
    tcase_add_test(tests, a_damaged_note_of_a_deleted_model_deletes_no_other);
    tcase_add_test(tests, many_metrics_are_swept_in_pieces_and_those_of_other_runs_stay);
    tcase_add_test(tests, numbers_are_not_given_twice);
    tcase_add_test(tests, each_version_is_the_next_and_is_served);
    tcase_add_test(tests, versions_are_listed_newest_first_with_their_origin);
    tcase_add_test(tests, several_tensors_keep_names_shapes_and_order);
    tcase_add_test(tests, tensors_are_found_by_the_beginning_of_their_names);
    return suite_run(suite);
}
