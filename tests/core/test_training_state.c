/* A training that is interrupted, saved and restored ends with the bits of one that is not:
 * wherever it is interrupted, whatever it learns with, and whichever team goes on with it. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/learning_block.h"
#include "core/random.h"
#include "core/training.h"
#include "core/training_state.h"
#include "server/base/buffer.h"
#include "server/base/team_threads.h"
#include "tests/support/count_task.h"
#include "tests/support/suite.h"
#include "tests/support/trained.h"
#include "tests/support/views.h"

/* --- tasks --- */

enum { SIDE = 3, FEATURES = SIDE * SIDE, COUNT = 11, CLASSES = 3, EPOCHS = 4 };

#define SHAPE(clock, outputs)                                                                      \
    {                                                                                              \
        clock, FEATURES, outputs, 30, 15, 3.75, 1                                                  \
    }
#define LOOP(type, patience_)                                                                      \
    {                                                                                              \
        .epochs = EPOCHS, .batch_size = 4, .schedule = {type, 0.05, 0.9}, .shuffle = true,         \
        .seed = 7, .patience = patience_                                                           \
    }

static const struct task {
    struct network_params network;
    struct training_params params;
    bool counts;
} tasks[] = {
    {.network = {SHAPE(CLOCK_GRID, CLASSES), .read_out.v_max = {1, 1}},
     .params = {LOOP(SCHEDULE_CONSTANT, 0), .momentum = 0.9, .loss = {LOSS_MSE, 1, 5, 0, 0}}},
    {.network = {SHAPE(CLOCK_GRID, CLASSES), .read_out.v_max = {1, 1}},
     .params = {LOOP(SCHEDULE_EXPONENTIAL, 0), .momentum = 0.9,
                .loss = {LOSS_TEMPOTRON, 1, 5, 0, 0}}},
    {.network = {SHAPE(CLOCK_CONTINUOUS, CLASSES), .read_out.v_max = {1, 1}},
     .params = {LOOP(SCHEDULE_COSINE, 1), OPTIMIZER_ADAM, .weight_decay = 0.1,
                .loss = {LOSS_CROSS_ENTROPY, 1, 5, 0, 0}, .max_grad_norm = 0.5}},
    {.network = {SHAPE(CLOCK_CONTINUOUS, 2 * CLASSES), 2, {35, 9}, .read_out.v_max = {2, 3}},
     .params = {LOOP(SCHEDULE_COSINE, 2), OPTIMIZER_ADAM, .loss = {LOSS_CROSS_ENTROPY, 1, 5, 0, 0},
                .input_dropout = 0.2, .dropout = 0.2, .silence_cost = 1e-4, .slope_floor = 4,
                .augmentation = {1, SIDE, SIDE}}},
    {.network = {SHAPE(CLOCK_GRID, CLASSES), 1, {10}, HIDDEN_PEAK, {.v_max = {1, 1}}},
     .params = {LOOP(SCHEDULE_CONSTANT, 3), .momentum = 0.9, .loss = {LOSS_MARGIN, 1, 5, 1.5, 0.5},
                .dropout = 0.3, .max_grad_norm = 1}},
    {.params = {LOOP(SCHEDULE_CONSTANT, 0), .momentum = 0.9}, .counts = true},
    {.params = {LOOP(SCHEDULE_CONSTANT, 1), OPTIMIZER_ADAM}, .counts = true},
};

static float values[COUNT * FEATURES];
static int32_t label[COUNT];
static struct encoder encoder;
static struct encoding encoding;
static struct count_task counting;

static void set_up(void)
{
    struct random random;
    float x_min[FEATURES], x_max[FEATURES];
    random_init(&random, 3);
    for (size_t i = 0; i < COUNT * FEATURES; i++)
        values[i] = random_uniform(&random);
    for (size_t i = 0; i < COUNT; i++)
        label[i] = (int32_t)(random_bits(&random) % CLASSES);
    for (size_t i = 0; i < FEATURES; i++) {
        x_min[i] = 0;
        x_max[i] = 1;
    }
    encoder.type = ENCODER_LATENCY;
    ck_assert_int_eq(latency_init(&encoder.latency, FEATURES, LATENCY_LINEAR, x_min, x_max, 20),
                     CORE_OK);
    ck_assert_int_eq(encoding_init(&encoding, &encoder, 30), CORE_OK);
    count_task_draw(&counting);
}

static void tear_down(void)
{
    encoding_finish(&encoding);
    encoder_finish(&encoder);
}

static struct network *network_of(const struct task *task)
{
    float *weight[NETWORK_LAYERS];
    const float *given[NETWORK_LAYERS];
    struct network *network;
    if (task->counts)
        return count_task_model();
    for (size_t l = 0; l < network_depth(&task->network); l++) {
        given[l] = weight[l] = malloc(network_neurons(&task->network, l) *
                                      network_afferents(&task->network, l) * sizeof(float));
        network_draw_weight(&task->network, l, 5, weight[l]);
    }
    ck_assert_int_eq(network_create(&task->network, given, &network), CORE_OK);
    for (size_t l = 0; l < network_depth(&task->network); l++)
        free(weight[l]);
    return network;
}

static struct samples samples_of(const struct task *task)
{
    return task->counts ? counting.samples
                        : view_values(SAMPLES_VALUES, COUNT, FEATURES, values, label);
}

/* --- a training, and one that goes on from a state --- */

struct outcome {
    struct buffer state;  /* at the end */
    struct buffer epochs; /* struct training_epoch of each epoch that was heard of */
};

struct course {
    struct outcome *outcome;
    struct buffer *from; /* a state to restore, or NULL */
    size_t taken;        /* bytes of it */
    bool restored;
    size_t questions;       /* that were asked so far */
    size_t patience;        /* questions before it is stopped; 0: it never is */
    struct buffer *batches; /* [batch_count] states before each batch, or NULL */
    size_t batch_count;
};

static bool add(void *buffer, const void *bytes, size_t size)
{
    buffer_add(buffer, bytes, size);
    return true;
}

static bool take(void *context, void *ret_bytes, size_t size)
{
    struct course *course = context;
    if (course->from->size - course->taken < size)
        return false;
    memcpy(ret_bytes, (const char *)course->from->items + course->taken, size);
    course->taken += size;
    return true;
}

static bool on_begin(void *context, struct training_state *state)
{
    struct course *course = context;
    course->restored = course->from == NULL || training_state_restore(state, take, course);
    return course->restored;
}

static void on_batch(void *context, const struct training_state *state)
{
    struct course *course = context;
    if (course->batches != NULL)
        training_state_save(state, add, &course->batches[course->batch_count]);
    course->batch_count++;
}

static void on_epoch(void *context, const struct training_epoch *epoch)
{
    struct course *course = context;
    buffer_add(&course->outcome->epochs, epoch, sizeof *epoch);
}

static void on_end(void *context, const struct training_state *state)
{
    struct course *course = context;
    ck_assert(training_state_save(state, add, &course->outcome->state));
}

static bool stop_requested(void *context)
{
    struct course *course = context;
    return course->patience > 0 && ++course->questions > course->patience;
}

static enum core_status follow(struct course *course, const struct task *task, size_t epochs,
                               const struct thread_team *team, struct network *network)
{
    const struct training_observer observer = {course,   on_begin, on_batch,
                                               on_epoch, on_end,   stop_requested};
    const struct samples samples = samples_of(task);
    struct training_params params = task->params;
    params.loop.epochs = epochs;
    return network_train(network, &samples, params.loop.patience > 0 ? &samples : NULL,
                         task->counts ? NULL : &encoding, &params, &observer, team);
}

static void outcome_finish(struct outcome *outcome)
{
    buffer_finish(&outcome->state);
    buffer_finish(&outcome->epochs);
}

static void expect_same_bytes(const struct buffer *a, const struct buffer *b)
{
    ck_assert_uint_eq(a->size, b->size);
    ck_assert_mem_eq(a->items, b->items, a->size);
}

/* Goes on from a state, to which `outcome` has led, and compares with what a calm one came to. */
static void expect_end(const struct task *task, struct buffer *state, struct outcome *outcome,
                       const struct thread_team *team, const struct network *calm,
                       const struct outcome *calm_outcome)
{
    struct course course = {.outcome = outcome, .from = state};
    struct network *network = network_of(task);
    ck_assert_int_eq(follow(&course, task, EPOCHS, team, network), CORE_OK);
    ck_assert(course.restored);
    ck_assert_uint_eq(course.taken, state->size);
    ck_assert(same_weights(network, calm));
    expect_same_bytes(&outcome->epochs, &calm_outcome->epochs);
    expect_same_bytes(&outcome->state, &calm_outcome->state);
    network_destroy(network);
}

/* A team that takes its parts in an order of its own. */
static void run_backwards(void *context, thread_team_task *task, void *work, size_t parts)
{
    (void)context;
    for (size_t part = parts; part-- > 0;)
        task(work, part);
}

static const struct thread_team backwards = {.size = 3, .run_parts = run_backwards};

START_TEST(a_training_goes_on_from_any_question)
{
    const struct task *task = &tasks[_i];
    struct outcome calm_outcome = {0};
    struct course calm_course = {.outcome = &calm_outcome, .patience = SIZE_MAX};
    struct network *calm = network_of(task);
    ck_assert_int_eq(follow(&calm_course, task, EPOCHS, NULL, calm), CORE_OK);
    ck_assert_uint_ge(calm_course.questions, EPOCHS * COUNT);
    for (size_t q = 1; q < calm_course.questions; q++) {
        struct outcome outcome = {0};
        struct course course = {.outcome = &outcome, .patience = q};
        struct network *network = network_of(task);
        ck_assert_int_eq(follow(&course, task, EPOCHS, q % 2 == 0 ? NULL : &backwards, network),
                         CORE_STOPPED);
        network_destroy(network);
        struct buffer state = outcome.state;
        outcome.state = (struct buffer){0};
        expect_end(task, &state, &outcome, q % 3 == 0 ? NULL : &backwards, calm, &calm_outcome);
        buffer_finish(&state);
        outcome_finish(&outcome);
    }
    network_destroy(calm);
    outcome_finish(&calm_outcome);
}
END_TEST

enum { BATCHES_MAX = 256 };

START_TEST(a_training_goes_on_from_each_batch)
{
    const struct task *task = &tasks[_i];
    static struct buffer batches[BATCHES_MAX];
    struct outcome calm_outcome = {0};
    struct course calm_course = {.outcome = &calm_outcome, .batches = batches};
    struct network *calm = network_of(task);
    struct thread_team *team = team_threads_create(2);
    memset(batches, 0, sizeof batches);
    ck_assert_int_eq(follow(&calm_course, task, EPOCHS, NULL, calm), CORE_OK);
    ck_assert_uint_ge(calm_course.batch_count, 3);
    for (size_t i = 0; i < calm_course.batch_count; i++) {
        struct outcome outcome = {0};
        struct course course = {.outcome = &outcome, .from = &batches[i]};
        struct network *network = network_of(task);
        ck_assert_int_eq(follow(&course, task, EPOCHS, team, network), CORE_OK);
        ck_assert_uint_eq(course.batch_count, calm_course.batch_count - i);
        ck_assert(same_weights(network, calm));
        expect_same_bytes(&outcome.state, &calm_outcome.state);
        network_destroy(network);
        outcome_finish(&outcome);
        buffer_finish(&batches[i]);
    }
    team_threads_destroy(team);
    network_destroy(calm);
    outcome_finish(&calm_outcome);
}
END_TEST

/* The schedule must not depend on the number of epochs. */
START_TEST(more_epochs_are_one_longer_training)
{
    const struct task *task = &tasks[_i];
    struct outcome longer_outcome = {0}, outcome = {0};
    struct course longer_course = {.outcome = &longer_outcome}, course = {.outcome = &outcome};
    struct network *longer = network_of(task), *network = network_of(task);
    if (task->params.loop.schedule.type != SCHEDULE_COSINE) {
        ck_assert_int_eq(follow(&longer_course, task, EPOCHS, NULL, longer), CORE_OK);
        ck_assert_int_eq(follow(&course, task, 1, NULL, network), CORE_OK);
        struct buffer state = outcome.state;
        outcome.state = (struct buffer){0};
        expect_end(task, &state, &outcome, NULL, longer, &longer_outcome);
        buffer_finish(&state);
    }
    network_destroy(network);
    network_destroy(longer);
    outcome_finish(&outcome);
    outcome_finish(&longer_outcome);
}
END_TEST

/* --- bytes that are no state of the training --- */

static void expect_refused(const struct task *task, struct buffer *state)
{
    struct outcome outcome = {0};
    struct course course = {.outcome = &outcome, .from = state};
    struct network *network = network_of(task);
    ck_assert_int_eq(follow(&course, task, EPOCHS, NULL, network), CORE_STOPPED);
    ck_assert(!course.restored);
    ck_assert_uint_eq(outcome.state.size, 0);
    network_destroy(network);
    outcome_finish(&outcome);
}

START_TEST(a_state_of_another_training_is_refused)
{
    const struct task *task = &tasks[_i];
    struct outcome outcome = {0};
    struct course course = {.outcome = &outcome};
    struct network *network = network_of(task);
    ck_assert_int_eq(follow(&course, task, 1, NULL, network), CORE_OK);
    for (size_t t = 0; t < sizeof tasks / sizeof *tasks; t++)
        if (t != (size_t)_i && t + (size_t)_i != 1) /* these two differ in their loss only */
            expect_refused(&tasks[t], &outcome.state);
    network_destroy(network);
    outcome_finish(&outcome);
}
END_TEST

/* A reader checks the head's format number, shapes and positions, the generator's place, and that
 * the order stays within the samples. */
START_TEST(a_state_that_is_cut_or_leads_out_of_arrays_is_refused)
{
    const size_t random = (3 + 2 * NETWORK_LAYERS + 10) * sizeof(uint64_t);
    const size_t damaged[] = {0, 3 * sizeof(uint64_t), random + RANDOM_WORDS * 4 + 3,
                              random + sizeof(struct random) + 3};
    struct outcome outcome = {0};
    struct course course = {.outcome = &outcome};
    struct network *network = network_of(&tasks[0]);
    ck_assert_int_eq(follow(&course, &tasks[0], 1, NULL, network), CORE_OK);
    char *bytes = outcome.state.items;
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        bytes[damaged[i]] ^= 0x40;
        expect_refused(&tasks[0], &outcome.state);
        bytes[damaged[i]] ^= 0x40;
    }
    const size_t size = outcome.state.size;
    for (outcome.state.size = 0; outcome.state.size < size; outcome.state.size += 7)
        expect_refused(&tasks[0], &outcome.state);
    network_destroy(network);
    outcome_finish(&outcome);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("training_state");
    TCase *tests = suite_case(suite, "training_state", set_up, tear_down, 60);
    tcase_add_loop_test(tests, a_training_goes_on_from_any_question, 0, ROWS(tasks));
    tcase_add_loop_test(tests, a_training_goes_on_from_each_batch, 0, ROWS(tasks));
    tcase_add_loop_test(tests, more_epochs_are_one_longer_training, 0, ROWS(tasks));
    tcase_add_loop_test(tests, a_state_of_another_training_is_refused, 0, ROWS(tasks));
    tcase_add_test(tests, a_state_that_is_cut_or_leads_out_of_arrays_is_refused);
    return suite_run(suite);
}
