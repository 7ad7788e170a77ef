/* The store by itself: checkpoints of runs, what an interruption leaves of a run, and runs that go
 * on from ended ones. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "server/store/checkpoints.h"
#include "tests/support/stored.h"
#include "tests/support/suite.h"

/* The checksum of "abcde": three chunks, of which the last one is kept with the whole. */
#define ABCDE_SHA256 "36bbe50ed96841d10443bcb670d6554f0a34b761be67ec9c4a8ad2c0c44ca42c"

static struct checkpoint_record written(int64_t epoch)
{
    struct checkpoint_record record = {.epoch = epoch, .array = {.count = 5, .bytes = 5}};
    strcpy(record.array.sha256, ABCDE_SHA256);
    ck_assert_int_eq(store_checkpoint_append(store, &record, "ab", 2), STORE_OK);
    ck_assert_int_eq(store_checkpoint_append(store, &record, "cd", 2), STORE_OK);
    return record;
}

static void keep(int64_t run, int64_t epoch)
{
    const struct checkpoint_record record = written(epoch);
    const struct checkpoint_end end = {&record, "e", 1};
    ck_assert_int_eq(store_checkpoint_keep(store, run, &end), STORE_OK);
}

static int64_t running(const char *model)
{
    insert_run(model, NULL);
    return claim_run(3000);
}

/* So many arrays, all of checkpoints, and nothing of one that is gone. */
static void expect_checkpoints(int64_t count)
{
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM checkpoints"), count);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM arrays"), count);
    ck_assert_int_eq(ask_sql("SELECT count(DISTINCT array) FROM chunks"), count);
}

static void succeed_with_checkpoint(int64_t run, int64_t epoch)
{
    const struct tensor tensor = weight_of(six);
    const struct checkpoint_record record = written(epoch);
    const struct checkpoint_end checkpoint = {&record, "e", 1};
    const struct run_end end = {
        .state = RUN_SUCCEEDED, .tensors = seal(&tensor, 1), .checkpoint = &checkpoint};
    ck_assert_int_eq(store_run_end(store, run, NULL, 0, &end, 5000), STORE_OK);
}

START_TEST(a_checkpoint_reads_back_in_chunks)
{
    struct checkpoint_record found;
    struct buffer chunk = {0};
    insert_model("iris");
    const int64_t run = running("iris");
    ck_assert_int_eq(store_checkpoint_find(store, run, &found), STORE_NOT_FOUND);
    keep(run, 7);
    ck_assert_int_eq(store_checkpoint_find(store, run, &found), STORE_OK);
    ck_assert_int_eq(found.epoch, 7);
    ck_assert_uint_eq(found.array.bytes, 5);
    static const char *const chunks[] = {"ab", "cd", "e"};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(store_array_chunk(store, found.array.id, i, &chunk), STORE_OK);
        ck_assert_uint_eq(chunk.size, strlen(chunks[i]));
        ck_assert_mem_eq(chunk.bytes, chunks[i], chunk.size);
    }
    ck_assert_int_eq(store_array_chunk(store, found.array.id, 3, &chunk), STORE_NOT_FOUND);
    buffer_finish(&chunk);
    keep(run, 9);
    expect_checkpoints(1);
    run_sql("UPDATE chunks SET data = x'00' WHERE position = 2");
    ck_assert_int_eq(store_checkpoint_find(store, run, &found), STORE_CORRUPT);
}
END_TEST

START_TEST(a_checkpoint_that_is_not_kept_is_swept)
{
    insert_model("iris");
    written(1);
    written(1);
    ck_assert_int_eq(store_array_sweep(store), STORE_OK);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM arrays"), 1);
    keep(running("iris"), 2);
    ck_assert_int_eq(store_array_sweep(store), STORE_OK);
    ck_assert_int_eq(store_array_sweep(store), STORE_NOT_FOUND);
    expect_checkpoints(1);
}
END_TEST

/* Their size is what the arrays say. */
START_TEST(large_ones_are_swept_away_in_pieces)
{
    insert_model("iris");
    const int64_t run = running("iris");
    keep(run, 1);
    run_sql("UPDATE arrays SET bytes = 5000000");
    keep(run, 2);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM arrays"), 2);
    run_sql("INSERT INTO chunks (array, position, data) SELECT a.id, 10 + c.position, c.data FROM "
            "arrays a, chunks c WHERE a.bytes > 5 AND c.array <> a.id");
    ck_assert_int_eq(store_array_sweep(store), STORE_OK);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM arrays"), 2);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM chunks"), 3 + 2);
    ck_assert_int_eq(store_array_sweep(store), STORE_OK);
    expect_checkpoints(1);
    ck_assert_int_eq(store_array_sweep(store), STORE_NOT_FOUND);
    run_sql("UPDATE arrays SET bytes = 5000000");
    const struct run_end failure = {RUN_FAILED, .code = "c", .detail = "d"};
    ck_assert_int_eq(store_run_end(store, run, NULL, 0, &failure, 1), STORE_OK);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM arrays"), 1);
    ck_assert_int_eq(store_array_sweep(store), STORE_OK);
    expect_checkpoints(0);
}
END_TEST

START_TEST(after_a_crash_a_run_keeps_the_epochs_of_its_checkpoint)
{
    insert_model("iris");
    const int64_t run = running("iris");
    add_epochs(run, 1, 5);
    keep(run, 3);
    store_reopen();
    ck_assert_int_eq(store_queue_take_up(store, 6000), STORE_OK);
    struct run_record record = find_run(run);
    ck_assert_int_eq(record.state, RUN_QUEUED);
    ck_assert_int_eq(record.epoch, 3);
    ck_assert_int_eq(record.started_at, 0);
    run_record_finish(&record);
    expect_checkpoints(1);
    ck_assert_int_eq(store_checkpoint_drop(store, run), STORE_OK);
    record = find_run(run);
    ck_assert_int_eq(record.epoch, 0);
    run_record_finish(&record);
    expect_checkpoints(0);
}
END_TEST

START_TEST(a_checkpoint_or_a_stop_makes_crashes_count_anew)
{
    ck_assert_int_eq(store_queue_take_up(store, 1), STORE_OK);
    insert_model("iris");
    const int64_t run = running("iris");
    for (int i = 0; i < 2; i++) {
        for (int crash = 1; crash < LIMIT_CRASHES; crash++) {
            ck_assert_int_eq(store_queue_take_up(store, 6000), STORE_OK);
            ck_assert_int_eq(claim_run(6001), run);
        }
        if (i == 0) {
            keep(run, 1);
            continue;
        }
        ck_assert_int_eq(store_queue_return(store, run, NULL, 0, NULL), STORE_OK);
        ck_assert_int_eq(state_of(run), RUN_QUEUED);
        ck_assert_int_eq(claim_run(6002), run);
    }
    for (int crash = 1; crash <= LIMIT_CRASHES; crash++) {
        ck_assert_int_eq(store_queue_take_up(store, 6003), STORE_OK);
        ck_assert_int_eq(state_of(run), crash < LIMIT_CRASHES ? RUN_QUEUED : RUN_FAILED);
        claim_run(6004);
    }
    struct run_record record = find_run(run);
    ck_assert_str_eq(record.error_code, "crashed");
    ck_assert_int_eq(record.finished_at, 6003);
    ck_assert_int_eq(record.started_at, 6004);
    run_record_finish(&record);
    expect_checkpoints(0);
}
END_TEST

START_TEST(a_stop_keeps_the_state_and_the_epochs_of_its_moment)
{
    const struct epoch_metrics fourth = {.epoch = 4, .loss = 1, .accuracy = 0};
    insert_model("iris");
    const int64_t run = running("iris");
    add_epochs(run, 1, 3);
    const struct checkpoint_record record = written(4);
    const struct checkpoint_end end = {&record, "e", 1};
    ck_assert_int_eq(store_queue_return(store, run, &fourth, 1, &end), STORE_OK);
    struct run_record found = find_run(run);
    ck_assert_int_eq(found.state, RUN_QUEUED);
    ck_assert_int_eq(found.epoch, 4);
    run_record_finish(&found);
    expect_checkpoints(1);
}
END_TEST

START_TEST(only_the_last_ended_run_of_a_model_keeps_its_state)
{
    insert_model("a");
    insert_model("b");
    succeed_with_checkpoint(running("a"), 1);
    succeed_with_checkpoint(running("b"), 1);
    const int64_t last = running("a");
    succeed_with_checkpoint(last, 1);
    expect_checkpoints(2);
    ck_assert_int_eq(ask_sql("SELECT max(run) FROM checkpoints"), last);
    const int64_t failing = running("a");
    keep(failing, 1);
    const struct run_end failure = {RUN_FAILED, .code = "c", .detail = "d"};
    ck_assert_int_eq(store_run_end(store, failing, NULL, 0, &failure, 1), STORE_OK);
    expect_checkpoints(2);
    ck_assert_int_eq(store_model_delete(store, "a"), STORE_OK);
    expect_checkpoints(1);
}
END_TEST

START_TEST(a_resumed_run_has_all_but_the_end_of_the_former_one)
{
    const struct resumption longer = {"{\"epochs\":20}", 20};
    int64_t next = 0;
    insert_model("iris");
    const int64_t run = insert_run("iris", &other_samples);
    ck_assert_int_eq(store_queue_resume(store, run, &longer, 1, &next), STORE_IN_USE);
    claim_run(3000);
    add_epochs(run, 1, 9);
    succeed_with_checkpoint(run, 9);
    ck_assert_int_eq(store_queue_resume(store, run, &longer, 7000, &next), STORE_OK);
    ck_assert_int_eq(store_queue_resume(store, run, &longer, 7001, &next), STORE_ENDED);
    ck_assert_int_eq(store_queue_resume(store, 99, &longer, 7001, &next), STORE_NOT_FOUND);
    struct run_record record = find_run(next), former = find_run(run);
    ck_assert_int_eq(record.continues, run);
    ck_assert_int_eq(record.state, RUN_QUEUED);
    ck_assert_int_eq(record.base_version, 1);
    ck_assert_int_eq(record.epoch, 9);
    ck_assert_int_eq(record.epochs, 20);
    ck_assert_str_eq(record.params, "{\"epochs\":20}");
    ck_assert_str_eq(record.samples_sha256, former.samples_sha256);
    ck_assert_str_eq(record.validation_sha256, former.validation_sha256);
    ck_assert_int_eq(former.state, RUN_SUCCEEDED);
    ck_assert_int_eq(former.epoch, 9);
    run_record_finish(&record);
    run_record_finish(&former);
    expect_samples(next, true, &other_samples);
    ck_assert_int_eq(ask_sql("SELECT run FROM checkpoints"), next);
}
END_TEST

START_TEST(a_version_is_kept_once_for_an_epoch)
{
    const struct tensor tensor = weight_of(other_six);
    insert_model("iris");
    const int64_t run = running("iris"), model = sequence_of("iris");
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(store_version_keep(store, model, run, 3, seal(&tensor, 1), 4000),
                         STORE_OK);
    ck_assert_int_eq(served_by_store("iris"), 1);
    expect_weight("iris", 2, other_six);
    struct run_record record = find_run(run);
    ck_assert_str_eq(record.kept, "[{\"epoch\":3,\"version\":2}]");
    run_record_finish(&record);
    ck_assert_int_eq(succeed_run(run, six), 3);
}
END_TEST

/* What it could not write, as the disk was full, is not held against its runs. */
START_TEST(a_process_that_ended_in_order_is_no_crash)
{
    ck_assert_int_eq(store_queue_take_up(store, 1), STORE_OK);
    insert_model("iris");
    const int64_t run = running("iris");
    ck_assert_int_eq(store_queue_take_up(store, 5999), STORE_OK);
    ck_assert_int_eq(ask_sql("SELECT crashes FROM runs"), 1);
    for (int stop = 0; stop <= LIMIT_CRASHES; stop++) {
        ck_assert_int_eq(claim_run(6001), run);
        store_reopen();
        ck_assert_int_eq(store_queue_take_up(store, 6002), STORE_OK);
        ck_assert_int_eq(state_of(run), RUN_QUEUED);
        ck_assert_int_eq(ask_sql("SELECT crashes FROM runs"), 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("checkpoints");
    TCase *tests = suite_case(suite, "checkpoints", store_set_up, store_tear_down, 10);
    tcase_add_test(tests, a_checkpoint_reads_back_in_chunks);
    tcase_add_test(tests, a_checkpoint_that_is_not_kept_is_swept);
    tcase_add_test(tests, large_ones_are_swept_away_in_pieces);
    tcase_add_test(tests, after_a_crash_a_run_keeps_the_epochs_of_its_checkpoint);
    tcase_add_test(tests, a_checkpoint_or_a_stop_makes_crashes_count_anew);
    tcase_add_test(tests, a_stop_keeps_the_state_and_the_epochs_of_its_moment);
    tcase_add_test(tests, only_the_last_ended_run_of_a_model_keeps_its_state);
    tcase_add_test(tests, a_resumed_run_has_all_but_the_end_of_the_former_one);
    tcase_add_test(tests, a_version_is_kept_once_for_an_epoch);
    tcase_add_test(tests, a_process_that_ended_in_order_is_no_crash);
    return suite_run(suite);
}
