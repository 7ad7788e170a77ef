/* Checkpoints that a thread keeps while the training goes on. */
#include <check.h>
#include <poll.h>
#include <stdlib.h>

#include "core/training.h"
#include "server/base/team_threads.h"
#include "server/compute/checkpoint_writer.h"
#include "tests/support/stored.h"
#include "tests/support/suite.h"
#include "tests/support/trained.h"
#include "tests/support/views.h"

/* A state of two chunks and a rest. */
enum { WIDTH = 1024, COUNT = 10, BEGUN = 3, LENT = 6 };

static const struct network_params shape = {{CLOCK_GRID, WIDTH, WIDTH, 10, 15, 3.75, 1},
                                            .read_out.v_max = {1, 1}};
static const struct training_params params = {
    .loop = {.epochs = 1, .batch_size = 1, .schedule = {SCHEDULE_CONSTANT, 0.05, 0}},
    .momentum = 0.9,
    .loss = {LOSS_CROSS_ENTROPY, 1, 5, 0, 0}};
static float times[COUNT * WIDTH];
static int32_t label[COUNT];
static float weight[WIDTH * WIDTH];

static struct store_pool *pool;
static int64_t run;
static struct checkpoint_writer writer;
static struct network *network;

static void set_up(void)
{
    const float *weights[NETWORK_LAYERS] = {weight};
    for (int i = 0; i < COUNT * WIDTH; i++)
        times[i] = (float)(i % 7);
    for (int i = 0; i < COUNT; i++)
        label[i] = i;
    network_draw_weight(&shape, 0, 5, weight);
    ck_assert_int_eq(network_create(&shape, weights, &network), CORE_OK);
    store_set_up();
    insert_model("iris");
    run = insert_run("iris", NULL);
    ck_assert_int_eq(claim_run(3000), run);
    store_shut();
    ck_assert_int_eq(store_pool_create(store_path, &pool), STORE_OK);
    writer = (struct checkpoint_writer){0};
}

static void tear_down(void)
{
    network_destroy(network);
    store_pool_destroy(pool);
    store_tear_down();
}

static void train(struct network *trained, const struct training_observer *observer)
{
    struct thread_team *team = team_threads_create(1);
    const struct samples samples = view_values(SAMPLES_SPIKE_TIMES, COUNT, WIDTH, times, label);
    ck_assert_int_eq(network_train(trained, &samples, NULL, NULL, &params, observer, team),
                     CORE_OK);
    team_threads_destroy(team);
}

static void begin(const struct training_state *state)
{
    store_pool_borrow_writer(pool); /* so that nothing can be written */
    ck_assert(checkpoint_writer_begin(&writer, pool, run, state));
    ck_assert(!checkpoint_writer_has_ended(&writer));
}

static void write_meanwhile(void *context, const struct training_state *state)
{
    int *batch = context;
    ++*batch;
    if (*batch == BEGUN)
        begin(state);
    if (*batch == LENT)
        store_pool_return_writer(pool, STORE_NOT_FOUND);
}

static bool restore(void *context, struct training_state *state)
{
    (void)context;
    ck_assert_int_eq(checkpoint_restore(pool, run, state), STORE_OK);
    ck_assert_uint_eq(state->batch, BEGUN - 1);
    return true;
}

START_TEST(a_checkpoint_is_of_the_moment_at_which_it_was_begun)
{
    int batch = 0;
    struct network *restored;
    ck_assert_int_eq(network_copy(network, &restored), CORE_OK);
    train(network, &(struct training_observer){.context = &batch, .on_batch = write_meanwhile});
    ck_assert_int_eq(batch, COUNT);
    while (!checkpoint_writer_has_ended(&writer))
        poll(NULL, 0, 1);
    ck_assert(!checkpoint_writer_has_ended(&writer));
    ck_assert_int_gt(writer.took_ns, 0);
    train(restored, &(struct training_observer){.on_begin = restore});
    ck_assert(same_weights(network, restored));
    network_destroy(restored);
}
END_TEST

static void abandon(void *context, const struct training_state *state)
{
    (void)context;
    if (writer.run != 0)
        return;
    begin(state);
    atomic_store(&writer.is_abandoned, true);
    store_pool_return_writer(pool, STORE_NOT_FOUND);
    checkpoint_writer_abandon(&writer);
    checkpoint_writer_abandon(&writer);
}

START_TEST(an_abandoned_checkpoint_leaves_nothing)
{
    train(network, &(struct training_observer){.on_batch = abandon});
    ck_assert_int_eq(writer.run, run);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM checkpoints"), 0);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM arrays"), 0);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM chunks"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("checkpoint writer");
    TCase *tests = suite_case(suite, "writer", set_up, tear_down, 30);
    tcase_add_test(tests, a_checkpoint_is_of_the_moment_at_which_it_was_begun);
    tcase_add_test(tests, an_abandoned_checkpoint_leaves_nothing);
    return suite_run(suite);
}
