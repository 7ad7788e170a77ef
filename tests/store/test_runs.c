/* The store by itself: what each call does to runs, from the queue to their end, and what becomes
 * of them after a crash. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/stored.h"
#include "tests/support/suite.h"
#include "tests/support/views.h"

START_TEST(a_run_reads_back_as_it_was_queued)
{
    struct samples none;
    insert_model("iris");
    const int64_t run = insert_run("iris", NULL);
    ck_assert_int_eq(run, 1);
    expect_queued_run(run);
    expect_samples(run, false, &two_samples);
    ck_assert_int_eq(store_samples_load(store, run, true, &none), STORE_NOT_FOUND);
}
END_TEST

START_TEST(a_validation_set_is_stored_beside_the_samples)
{
    insert_model("iris");
    const int64_t run = insert_run("iris", &other_samples);
    struct run_record record = find_run(run);
    ck_assert_str_eq(record.samples_sha256, TWO_SAMPLES_SHA256);
    ck_assert_uint_eq(strlen(record.validation_sha256), 64);
    ck_assert_str_ne(record.validation_sha256, TWO_SAMPLES_SHA256);
    run_record_finish(&record);
    expect_samples(run, false, &two_samples);
    expect_samples(run, true, &other_samples);
}
END_TEST

START_TEST(equal_samples_are_stored_once_and_go_with_their_last_run)
{
    insert_model("a");
    insert_model("b");
    const int64_t first = insert_run("a", &two_samples), second = insert_run("b", NULL);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM samples"), 1);
    ck_assert_int_eq(claim_run(3000), first);
    ck_assert_int_eq(claim_run(3000), second);
    succeed_run(first, six);
    succeed_run(second, six);
    ck_assert_int_eq(store_model_delete(store, "a"), STORE_OK);
    ck_assert_int_eq(store_samples_sweep(store), STORE_NOT_FOUND);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM samples"), 1);
    expect_samples(second, false, &two_samples);
    ck_assert_int_eq(store_model_delete(store, "b"), STORE_OK);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM samples"), 1);
    ck_assert_int_eq(store_samples_sweep(store), STORE_OK);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM samples"), 0);
}
END_TEST

START_TEST(one_run_of_a_model_at_a_time_and_the_oldest_first)
{
    const struct run_end failure = {RUN_FAILED, .code = "diverged", .detail = "No."};
    insert_model("a");
    insert_model("b");
    const int64_t a1 = insert_run("a", NULL), a2 = insert_run("a", NULL);
    const int64_t b1 = insert_run("b", NULL), b2 = insert_run("b", NULL);
    ck_assert_int_eq(claim_run(3000), a1);
    ck_assert_int_eq(claim_run(3001), b1);
    ck_assert_int_eq(claim_run(3002), 0);
    ck_assert_int_eq(state_of(a2), RUN_QUEUED);
    succeed_run(b1, six);
    ck_assert_int_eq(claim_run(3003), b2);
    ck_assert_int_eq(store_run_end(store, a1, NULL, 0, &failure, 3004), STORE_OK);
    ck_assert_int_eq(claim_run(3005), a2);
    ck_assert_int_eq(claim_run(3006), 0);
}
END_TEST

START_TEST(a_claimed_run_starts_from_the_version_served_then)
{
    struct run_record record;
    insert_model("iris");
    const int64_t first = insert_run("iris", NULL), second = insert_run("iris", NULL);
    ck_assert_int_eq(store_queue_claim(store, 3000, takes_any_memory, NULL, &record), STORE_OK);
    ck_assert_int_eq(record.id, first);
    ck_assert_int_eq(record.base_version, 1);
    ck_assert_int_eq(record.started_at, 3000);
    ck_assert_str_eq(record.params, "{\"epochs\":9}");
    run_record_finish(&record);
    ck_assert_int_eq(succeed_run(first, other_six), 2);
    ck_assert_int_eq(store_queue_claim(store, 3001, takes_any_memory, NULL, &record), STORE_OK);
    ck_assert_int_eq(record.id, second);
    ck_assert_int_eq(record.base_version, 2);
    run_record_finish(&record);
}
END_TEST

START_TEST(metrics_are_read_in_order_after_a_cursor)
{
    struct epoch_metrics metrics[8];
    size_t count = 77;
    insert_model("iris");
    const int64_t run = insert_run("iris", NULL);
    ck_assert_int_eq(store_run_metrics(store, run, 0, 8, metrics, &count), STORE_OK);
    ck_assert_uint_eq(count, 0);
    claim_run(3000);
    add_epochs(run, 1, 5);
    ck_assert_int_eq(store_run_metrics(store, run, 0, 2, metrics, &count), STORE_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(metrics[0].epoch, 1);
    ck_assert_int_eq(store_run_metrics(store, run, 2, 8, metrics, &count), STORE_OK);
    ck_assert_uint_eq(count, 3);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(metrics[i].epoch, 3 + (int64_t)i);
        ck_assert_double_eq(metrics[i].loss, 1.0 / (double)metrics[i].epoch);
        ck_assert_double_eq(metrics[i].accuracy, 0.1 * (double)metrics[i].epoch);
        ck_assert_double_nan(metrics[i].validation_loss);
        ck_assert_double_nan(metrics[i].validation_accuracy);
    }
    struct run_record record = find_run(run);
    ck_assert_int_eq(record.epoch, 5);
    ck_assert_double_eq(record.metrics.loss, 0.2);
    run_record_finish(&record);
}
END_TEST

START_TEST(success_publishes_with_its_last_metrics)
{
    const struct tensor tensor = weight_of(other_six);
    const struct run_end success = {.state = RUN_SUCCEEDED, .tensors = seal(&tensor, 1)};
    const struct epoch_metrics last = {5, 0.25, 0.75, 0.5, 0.625};
    insert_model("iris");
    const int64_t run = insert_run("iris", &other_samples);
    claim_run(3000);
    add_epochs(run, 1, 4);
    ck_assert_int_eq(store_run_end(store, run, &last, 1, &success, 5000), STORE_OK);
    ck_assert_int_eq(served_by_store("iris"), 2);
    expect_weight("iris", 2, other_six);
    struct run_record record = find_run(run);
    ck_assert_int_eq(record.state, RUN_SUCCEEDED);
    ck_assert_int_eq(record.version, 2);
    ck_assert_int_eq(record.epoch, 5);
    ck_assert_int_eq(record.finished_at, 5000);
    ck_assert_double_eq(record.metrics.loss, 0.25);
    ck_assert_double_eq(record.metrics.accuracy, 0.75);
    ck_assert_double_eq(record.metrics.validation_loss, 0.5);
    ck_assert_double_eq(record.metrics.validation_accuracy, 0.625);
    run_record_finish(&record);
}
END_TEST

START_TEST(an_end_that_fails_leaves_no_part_of_itself)
{
    const struct tensor tensor = weight_of(other_six);
    const struct run_end success = {.state = RUN_SUCCEEDED, .tensors = seal(&tensor, 1)};
    const struct epoch_metrics again = {.epoch = 4};
    insert_model("iris");
    const int64_t run = insert_run("iris", NULL);
    claim_run(3000);
    add_epochs(run, 1, 4);
    ck_assert_int_ne(store_run_end(store, run, &again, 1, &success, 5000), STORE_OK);
    ck_assert_int_eq(state_of(run), RUN_RUNNING);
    ck_assert_int_eq(served_by_store("iris"), 1);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM versions"), 1);
    ck_assert_int_eq(succeed_run(run, other_six), 2);
}
END_TEST

START_TEST(a_success_that_cant_be_noted_publishes_nothing)
{
    const struct tensor tensor = weight_of(other_six);
    const struct run_end success = {.state = RUN_SUCCEEDED, .tensors = seal(&tensor, 1)};
    insert_model("iris");
    const int64_t run = insert_run("iris", NULL);
    ck_assert_int_eq(claim_run(3000), run);
    run_sql("CREATE TRIGGER no_success BEFORE UPDATE OF state ON runs WHEN NEW.state = 'succeeded' "
            "BEGIN SELECT RAISE(ABORT, 'no'); END");
    ck_assert_int_ne(store_run_end(store, run, NULL, 0, &success, 5000), STORE_OK);
    ck_assert_int_eq(served_by_store("iris"), 1);
    ck_assert_int_eq(state_of(run), RUN_RUNNING);
    struct tensors none;
    ck_assert_int_eq(store_version_load(store, sequence_of("iris"), 2, &none), STORE_NOT_FOUND);
}
END_TEST

START_TEST(a_model_made_anew_is_another_one)
{
    int64_t number = 0;
    const struct tensor tensor = weight_of(six);
    const struct model_change change = {.labels = "[\"x\"]"};
    insert_model("iris");
    const int64_t old = sequence_of("iris");
    ck_assert_int_eq(store_model_delete(store, "iris"), STORE_OK);
    insert_model("iris");
    ck_assert_int_eq(store_queue_insert(store, old, "{}", 1, 0,
                                        &(struct data_source[]){source_of(&two_samples)}[0],
                                        &(struct data_source){0}, 1, &number),
                     STORE_NOT_FOUND);
    ck_assert_int_eq(store_version_insert(store, old, seal(&tensor, 1), 1, &number),
                     STORE_NOT_FOUND);
    ck_assert_int_eq(store_model_update(store, old, &change, 1), STORE_NOT_FOUND);
    ck_assert_int_eq(served_by_store("iris"), 1);
}
END_TEST

START_TEST(failure_keeps_its_reason_and_publishes_nothing)
{
    const struct run_end failure = {RUN_FAILED, .code = "diverged", .detail = "It did."};
    const struct epoch_metrics last = {.epoch = 1, .loss = 3, .accuracy = 0};
    insert_model("iris");
    const int64_t run = insert_run("iris", NULL);
    claim_run(3000);
    ck_assert_int_eq(store_run_end(store, run, &last, 1, &failure, 5000), STORE_OK);
    struct run_record record = find_run(run);
    ck_assert_int_eq(record.state, RUN_FAILED);
    ck_assert_str_eq(record.error_code, "diverged");
    ck_assert_str_eq(record.error_detail, "It did.");
    ck_assert_int_eq(record.version, 0);
    ck_assert_int_eq(record.epoch, 1);
    ck_assert_int_eq(record.finished_at, 5000);
    run_record_finish(&record);
    ck_assert_int_eq(served_by_store("iris"), 1);
}
END_TEST

START_TEST(cancelling_ends_a_queued_run_and_marks_a_running_one)
{
    const struct run_end cancelled = {.state = RUN_CANCELLED};
    enum run_state state = RUN_FAILED;
    insert_model("iris");
    const int64_t running = insert_run("iris", NULL), queued = insert_run("iris", NULL);
    ck_assert_int_eq(claim_run(3000), running);

    ck_assert_int_eq(store_queue_cancel(store, queued, 4000, &state), STORE_OK);
    ck_assert_int_eq(state, RUN_CANCELLED);
    struct run_record record = find_run(queued);
    ck_assert_int_eq(record.state, RUN_CANCELLED);
    ck_assert_int_eq(record.started_at, 0);
    ck_assert_int_eq(record.finished_at, 4000);
    run_record_finish(&record);

    ck_assert_int_eq(store_queue_cancel(store, running, 4001, &state), STORE_OK);
    ck_assert_int_eq(state, RUN_RUNNING);
    record = find_run(running);
    ck_assert_int_eq(record.state, RUN_RUNNING);
    ck_assert(record.cancel_requested);
    ck_assert_int_eq(record.finished_at, 0);
    run_record_finish(&record);

    ck_assert_int_eq(store_run_end(store, running, NULL, 0, &cancelled, 4002), STORE_OK);
    record = find_run(running);
    ck_assert_int_eq(record.state, RUN_CANCELLED);
    ck_assert_int_eq(record.finished_at, 4002);
    run_record_finish(&record);
    ck_assert_int_eq(store_queue_cancel(store, running, 4003, &state), STORE_ENDED);
    ck_assert_int_eq(store_queue_cancel(store, queued, 4003, &state), STORE_ENDED);
    ck_assert_int_eq(served_by_store("iris"), 1);
}
END_TEST

START_TEST(after_a_crash_running_runs_begin_again_from_their_base)
{
    size_t count = 77;
    int64_t version;
    struct epoch_metrics metrics[8];
    struct run_record record;
    const struct tensor tensor = weight_of(other_six);
    insert_model("iris");
    const int64_t run = insert_run("iris", NULL);
    claim_run(3000);
    add_epochs(run, 1, 3);
    ck_assert_int_eq(
        store_version_insert(store, sequence_of("iris"), seal(&tensor, 1), 3500, &version),
        STORE_OK);
    store_reopen();
    ck_assert_int_eq(state_of(run), RUN_RUNNING);
    ck_assert_int_eq(store_queue_take_up(store, 6000), STORE_OK);
    ck_assert_int_eq(state_of(run), RUN_QUEUED);
    ck_assert_int_eq(store_run_metrics(store, run, 0, 8, metrics, &count), STORE_OK);
    ck_assert_uint_eq(count, 0);
    ck_assert_int_eq(store_queue_claim(store, 6001, takes_any_memory, NULL, &record), STORE_OK);
    ck_assert_int_eq(record.id, run);
    ck_assert_int_eq(record.base_version, 1);
    ck_assert_int_eq(record.epoch, 0);
    run_record_finish(&record);
    add_epochs(run, 1, 3);
    ck_assert_int_eq(succeed_run(run, six), 3);
}
END_TEST

START_TEST(after_a_crash_runs_to_be_cancelled_are_and_others_stay)
{
    enum run_state state;
    insert_model("a");
    insert_model("b");
    const int64_t cancelled = insert_run("a", NULL), ended = insert_run("b", NULL);
    claim_run(3000);
    claim_run(3000);
    succeed_run(ended, six);
    const int64_t queued = insert_run("a", NULL);
    ck_assert_int_eq(store_queue_cancel(store, cancelled, 4000, &state), STORE_OK);
    ck_assert_int_eq(state, RUN_RUNNING);
    store_reopen();
    ck_assert_int_eq(store_queue_take_up(store, 6000), STORE_OK);
    struct run_record record = find_run(cancelled);
    ck_assert_int_eq(record.state, RUN_CANCELLED);
    ck_assert_int_eq(record.finished_at, 6000);
    run_record_finish(&record);
    record = find_run(ended);
    ck_assert_int_eq(record.state, RUN_SUCCEEDED);
    ck_assert_int_eq(record.finished_at, 5000);
    run_record_finish(&record);
    ck_assert_int_eq(claim_run(7000), queued);
}
END_TEST

/* The numbers of a page, e.g. "5 4", and the cursor of the next. */
static int64_t expect_runs(const char *model, int state, int64_t before, size_t limit,
                           const char *expected)
{
    struct run_record records[8] = {0};
    char ids[256] = "";
    size_t count = 0;
    int64_t last = 0;
    ck_assert_int_eq(store_run_list(store, model, state, before, limit, records, &count), STORE_OK);
    for (size_t i = 0; i < count; i++) {
        const size_t used = strlen(ids);
        snprintf(ids + used, sizeof ids - used, "%s%lld", i > 0 ? " " : "",
                 (long long)records[i].id);
        last = records[i].id;
        run_record_finish(&records[i]);
    }
    ck_assert_str_eq(ids, expected);
    return last;
}

START_TEST(runs_are_listed_newest_first_by_model_and_state)
{
    insert_model("a");
    insert_model("b");
    insert_model("idle");
    for (int i = 0; i < 3; i++) {
        insert_run("a", NULL);
        insert_run("b", NULL);
    }
    succeed_run(claim_run(3000), six); /* run 1 of a */
    claim_run(3001);                   /* run 2 of b */
    expect_runs(NULL, -1, 0, 8, "6 5 4 3 2 1");
    expect_runs("a", -1, 0, 8, "5 3 1");
    expect_runs("idle", -1, 0, 8, "");
    expect_runs(NULL, RUN_QUEUED, 0, 8, "6 5 4 3");
    expect_runs(NULL, RUN_FAILED, 0, 8, "");
    expect_runs("a", RUN_SUCCEEDED, 0, 8, "1");
    expect_runs("b", RUN_SUCCEEDED, 0, 8, "");
    expect_runs("b", RUN_QUEUED, 6, 8, "4");
    int64_t cursor = expect_runs(NULL, -1, 0, 4, "6 5 4 3");
    cursor = expect_runs(NULL, -1, cursor, 4, "2 1");
    expect_runs(NULL, -1, cursor, 4, "");
    cursor = expect_runs("a", -1, 0, 2, "5 3");
    expect_runs("a", -1, cursor, 2, "1");
}
END_TEST

START_TEST(the_queue_has_an_end)
{
    int64_t run = 77;
    static const char *const models[] = {"iris", "wine", "mnist", "dvs"};
    ck_assert_int_eq(ROWS(models) * LIMIT_QUEUED_RUNS_OF_MODEL, LIMIT_QUEUED_RUNS);
    for (int m = 0; m < ROWS(models); m++) {
        insert_model(models[m]);
        for (int i = 0; i < LIMIT_QUEUED_RUNS_OF_MODEL; i++)
            insert_run(models[m], NULL);
    }
    insert_model("other");
    ck_assert_int_eq(store_queue_insert(store, sequence_of("other"), "{}", 9, 0,
                                        &(struct data_source[]){source_of(&other_samples)}[0],
                                        &(struct data_source){0}, 2000, &run),
                     STORE_QUEUE_FULL);
    ck_assert_int_eq(run, 77);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM samples"), 1);
    claim_run(3000);
    insert_run("other", NULL);
}
END_TEST

START_TEST(a_model_has_a_share_of_the_queue)
{
    int64_t run = 77;
    insert_model("iris");
    insert_model("wine");
    for (int i = 0; i < LIMIT_QUEUED_RUNS_OF_MODEL; i++)
        insert_run("iris", NULL);
    ck_assert_int_eq(store_queue_insert(store, sequence_of("iris"), "{}", 9, 0,
                                        &(struct data_source[]){source_of(&two_samples)}[0],
                                        &(struct data_source){0}, 2000, &run),
                     STORE_MODEL_QUEUE_FULL);
    insert_run("wine", NULL);
}
END_TEST

START_TEST(models_take_turns)
{
    insert_model("a");
    insert_model("b");
    insert_model("c");
    int64_t a[4], b[2];
    for (int i = 0; i < 4; i++)
        a[i] = insert_run("a", NULL);
    for (int i = 0; i < 2; i++)
        b[i] = insert_run("b", NULL);
    const int64_t c = insert_run("c", NULL);
    const int64_t turns[] = {a[0], b[0], c, a[1], b[1], a[2], a[3], 0};
    for (int i = 0; i < ROWS(turns); i++) {
        ck_assert_int_eq(claim_run(3000 + i), turns[i]);
        if (turns[i] != 0)
            succeed_run(turns[i], six);
    }
}
END_TEST

/* Has room for a run of 5 bytes. */
static bool takes_five(void *context, size_t memory)
{
    *(size_t *)context = memory;
    return memory <= 5;
}

START_TEST(a_run_without_memory_waits_and_keeps_its_turn)
{
    size_t asked = 0;
    int64_t run = 0;
    struct run_record record;
    struct data_source data = source_of(&two_samples), none = {0};
    insert_model("a");
    insert_model("b");
    ck_assert_int_eq(store_queue_insert(store, sequence_of("a"), "{}", 9, 6, &data, &none, 1, &run),
                     STORE_OK);
    insert_run("b", NULL);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(store_queue_claim(store, 3000, takes_five, &asked, &record),
                         STORE_NO_ROOM);
        ck_assert_uint_eq(asked, 6);
        ck_assert_int_eq(state_of(run), RUN_QUEUED);
    }
    ck_assert_int_eq(claim_run(3001), run);
}
END_TEST

START_TEST(only_a_running_run_ends)
{
    const struct tensor tensor = weight_of(six);
    const struct run_end failure = {RUN_FAILED, .code = "c", .detail = "d"};
    const struct run_end cancelled = {.state = RUN_CANCELLED};
    const struct run_end success = {.state = RUN_SUCCEEDED, .tensors = seal(&tensor, 1)};
    insert_model("iris");
    const int64_t run = insert_run("iris", NULL);
    ck_assert_int_eq(claim_run(3000), run);
    ck_assert_int_eq(store_run_end(store, run, NULL, 0, &cancelled, 4000), STORE_OK);
    ck_assert_int_eq(store_run_end(store, run, NULL, 0, &cancelled, 5000), STORE_ENDED);
    ck_assert_int_eq(store_run_end(store, run, NULL, 0, &failure, 5000), STORE_ENDED);
    ck_assert_int_eq(store_run_end(store, run, NULL, 0, &success, 5000), STORE_ENDED);
    ck_assert_int_eq(store_run_end(store, 99, NULL, 0, &failure, 5000), STORE_NOT_FOUND);
    ck_assert_int_eq(served_by_store("iris"), 1);
    struct run_record record = find_run(run);
    ck_assert_int_eq(record.state, RUN_CANCELLED);
    ck_assert_int_eq(record.epoch, 0);
    ck_assert_int_eq(record.started_at, 3000);
    ck_assert_int_eq(record.finished_at, 4000);
    run_record_finish(&record);
}
END_TEST

START_TEST(spike_trains_read_back_as_they_were_queued)
{
    int64_t run = 0;
    uint32_t spikes[] = {2, 0, 1, 3};
    float times[] = {1, 2.5F, 7, 0, 0, 9};
    size_t first[] = {0, 2, 6};
    const int32_t label[] = {0, 2};
    struct samples trains = view_trains(2, 2, spikes, times, first);
    trains.targets = view_labels(label);
    struct samples found = {0};
    insert_model("iris");
    struct data_source data = source_of(&trains), validation_data = source_of(&two_samples);
    ck_assert_int_eq(store_queue_insert(store, sequence_of("iris"), "{}", 10, 0, &data,
                                        &validation_data, 2000, &run),
                     STORE_OK);
    ck_assert_int_eq(store_samples_load(store, run, false, &found), STORE_OK);
    ck_assert_int_eq(found.kind, SAMPLES_SPIKE_TRAINS);
    ck_assert_mem_eq(found.data.trains.spikes, spikes, sizeof spikes);
    ck_assert_mem_eq(found.data.trains.times, times, sizeof times);
    ck_assert_mem_eq(found.data.trains.first, first, sizeof first);
    samples_finish(&found);
    ck_assert_int_eq(store_samples_load(store, run, true, &found), STORE_OK);
    ck_assert_int_eq(found.kind, SAMPLES_VALUES);
    samples_finish(&found);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_runs");
    TCase *tests = suite_case(suite, "runs", store_set_up, store_tear_down, 30);
    tcase_add_test(tests, a_run_reads_back_as_it_was_queued);
    tcase_add_test(tests, a_validation_set_is_stored_beside_the_samples);
    tcase_add_test(tests, equal_samples_are_stored_once_and_go_with_their_last_run);
    tcase_add_test(tests, one_run_of_a_model_at_a_time_and_the_oldest_first);
    tcase_add_test(tests, a_claimed_run_starts_from_the_version_served_then);
    tcase_add_test(tests, metrics_are_read_in_order_after_a_cursor);
    tcase_add_test(tests, success_publishes_with_its_last_metrics);
    tcase_add_test(tests, an_end_that_fails_leaves_no_part_of_itself);
    tcase_add_test(tests, a_success_that_cant_be_noted_publishes_nothing);
    tcase_add_test(tests, a_model_made_anew_is_another_one);
    tcase_add_test(tests, failure_keeps_its_reason_and_publishes_nothing);
    tcase_add_test(tests, cancelling_ends_a_queued_run_and_marks_a_running_one);
    tcase_add_test(tests, after_a_crash_running_runs_begin_again_from_their_base);
    tcase_add_test(tests, after_a_crash_runs_to_be_cancelled_are_and_others_stay);
    tcase_add_test(tests, runs_are_listed_newest_first_by_model_and_state);
    tcase_add_test(tests, the_queue_has_an_end);
    tcase_add_test(tests, a_model_has_a_share_of_the_queue);
    tcase_add_test(tests, models_take_turns);
    tcase_add_test(tests, a_run_without_memory_waits_and_keeps_its_turn);
    tcase_add_test(tests, only_a_running_run_ends);
    tcase_add_test(tests, spike_trains_read_back_as_they_were_queued);
    return suite_run(suite);
}
