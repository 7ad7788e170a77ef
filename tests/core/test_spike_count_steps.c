/* The steps that train spike counts, against the gradients of critical thresholds. */
#include <check.h>
#include <math.h>

#include "core/critical_threshold.h"
#include "core/learner.h"
#include "core/multi_spike.h"
#include "core/samples.h"
#include "core/spike_counter.h"
#include "core/training.h"
#include "tests/support/count_task.h"
#include "tests/support/single_layer.h"
#include "tests/support/suite.h"
#include "tests/support/trained.h"

/* A learner of one batch after the other. */
static struct learner *task_learner(const struct count_task *task, struct network *network,
                                    const struct training_params *params)
{
    const struct learner_options options = {.params = params,
                                            .capacity = samples_capacity(&task->samples, NULL),
                                            .batch_size = params->loop.batch_size};
    struct learner *learner;
    ck_assert_int_eq(learner_create(network, &options, &learner), CORE_OK);
    return learner;
}

static struct learner_sums learn(struct learner *learner, const struct count_task *task,
                                 const uint32_t *samples, size_t count, double learning_rate)
{
    const struct batch batch = {
        .epoch = 1, .samples = samples, .count = count, .learning_rate = learning_rate};
    struct learner_sums sums = {0};
    ck_assert_int_eq(learner_batch(learner, &task->samples, &batch, &sums), CORE_OK);
    return sums;
}

/* What the rule says for the output that was counted last, `count` times: the gradient of each
 * afferent's weight, downwards. */
static void expect_gradient(struct counting *counting, size_t count, bool fewer,
                            float *ret_gradient)
{
    struct spike_counter *counter = &counting->scratch.counter;
    const struct pattern *pattern = &counting->last->pattern;
    struct critical_threshold critical;
    ck_assert(critical_threshold_find(&counter->multi_spike, fewer ? count : count + 1, 0,
                                      &counter->search, &critical));
    critical_threshold_credit(&counter->multi_spike, &critical, &counter->search, counter->credit);
    for (size_t s = 0; s < pattern->count; s++)
        ret_gradient[pattern->afferent[s]] +=
            (float)(fewer ? counter->credit[s] : -counter->credit[s]);
}

/* Wants of each output what it fires but of the last one another count, and learns one step. */
START_TEST(a_step_is_the_rate_times_the_threshold_s_gradient)
{
    static struct count_task task;
    struct counting counting;
    float gradient[TASK_AFFERENTS] = {0}, before[TASK_OUTPUTS * TASK_AFFERENTS];
    float after[TASK_OUTPUTS * TASK_AFFERENTS];
    size_t count = 0;
    const uint32_t sample = 3;
    const bool fewer = _i == 1;
    count_task_draw(&task);
    struct network *network = count_task_model();
    struct tempotron *block = single_block(network);
    for (size_t i = 0; i < TASK_AFFERENTS * block->stride; i++)
        block->weight[i] += i % block->stride < TASK_OUTPUTS ? 0.1f : 0; /* all fire */
    single_layer_weight(network, before);
    counting_init(&counting, &task, network, sample);
    uint32_t *wanted = task.wanted + sample * TASK_OUTPUTS;
    for (size_t j = 0; j < TASK_OUTPUTS; j++) {
        count = counting_count(&counting, j);
        ck_assert_uint_ge(count, 1);
        wanted[j] = (uint32_t)count;
    }
    expect_gradient(&counting, count, fewer, gradient);
    wanted[TASK_OUTPUTS - 1] = (uint32_t)(fewer ? count - 1 : count + 2);

    const struct training_params params = {.loop.batch_size = 1};
    struct learner *learner = task_learner(&task, network, &params);
    const struct learner_sums sums = learn(learner, &task, &sample, 1, 1e-3);
    ck_assert_uint_eq(sums.decisions, TASK_OUTPUTS);
    ck_assert_uint_eq(sums.correct, TASK_OUTPUTS - 1);
    ck_assert_double_eq(sums.loss, fewer ? 1 : 2);
    single_layer_weight(network, after);
    for (size_t i = 0; i < TASK_AFFERENTS; i++) {
        const size_t last = (TASK_OUTPUTS - 1) * TASK_AFFERENTS + i;
        ck_assert(after[i] == before[i]);
        ck_assert_float_eq_tol(after[last], before[last] - 1e-3f * gradient[i], 1e-7f);
    }
    learner_destroy(learner);
    counting_finish(&counting);
    network_destroy(network);
}
END_TEST

/* One step without momentum, from the model's first weights. */
static void step_from_scratch(const struct count_task *task, const uint32_t *samples, size_t count,
                              float *ret_weight)
{
    struct network *network = count_task_model();
    const struct training_params params = {.loop.batch_size = count};
    struct learner *learner = task_learner(task, network, &params);
    ck_assert_uint_eq(learn(learner, task, samples, count, 1e-2).decisions, count * TASK_OUTPUTS);
    single_layer_weight(network, ret_weight);
    learner_destroy(learner);
    network_destroy(network);
}

START_TEST(a_batch_steps_by_the_mean_of_its_samples)
{
    static struct count_task task;
    enum { WEIGHTS = TASK_OUTPUTS * TASK_AFFERENTS };
    const uint32_t samples[] = {3, 9, 17};
    float first[WEIGHTS], alone[3][WEIGHTS], together[WEIGHTS];
    size_t moved = 0;
    count_task_draw(&task);
    struct network *network = count_task_model();
    single_layer_weight(network, first);
    for (size_t b = 0; b < 3; b++)
        step_from_scratch(&task, &samples[b], 1, alone[b]);
    step_from_scratch(&task, samples, 3, together);
    for (size_t i = 0; i < WEIGHTS; i++) {
        ck_assert_float_eq_tol(together[i], (alone[0][i] + alone[1][i] + alone[2][i]) / 3, 1e-7f);
        moved += fabsf(alone[0][i] - together[i]) > 1e-5f && fabsf(together[i] - first[i]) > 1e-5f;
    }
    ck_assert_uint_gt(moved, WEIGHTS / 2);
    network_destroy(network);
}
END_TEST

/* For all its momentum. */
START_TEST(an_output_without_an_error_does_not_step)
{
    static struct count_task task;
    const uint32_t sample = 3;
    count_task_draw(&task);
    uint32_t *wanted = task.wanted + sample * TASK_OUTPUTS;
    struct network *network = count_task_model();
    const struct training_params params = {.loop.batch_size = 1, .momentum = 0.9};
    struct learner *learner = task_learner(&task, network, &params);
    wanted[0] = count_task_fired(&task, network, sample, 0) + 1;
    wanted[1] = count_task_fired(&task, network, sample, 1) + 1;
    ck_assert_uint_eq(learn(learner, &task, &sample, 1, 1e-3).correct, 0);
    for (uint32_t wrong = 0; wrong < 2; wrong++) { /* none, then the second */
        struct network *before;
        wanted[0] = count_task_fired(&task, network, sample, 0);
        wanted[1] = count_task_fired(&task, network, sample, 1) + wrong;
        ck_assert_int_eq(network_copy(network, &before), CORE_OK);
        ck_assert_uint_eq(learn(learner, &task, &sample, 1, 1e-3).correct, 2 - wrong);
        ck_assert(same_weights(network, before) == (wrong == 0));
        const struct tempotron *now = single_block(network), *then = single_block(before);
        for (size_t i = 0; i < TASK_AFFERENTS; i++)
            ck_assert(now->weight[i * now->stride] == then->weight[i * then->stride]);
        network_destroy(before);
    }
    learner_destroy(learner);
    network_destroy(network);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("spike_count_steps");
    TCase *tests = tcase_create("spike count");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, a_step_is_the_rate_times_the_threshold_s_gradient, 0, 2);
    tcase_add_test(tests, a_batch_steps_by_the_mean_of_its_samples);
    tcase_add_test(tests, an_output_without_an_error_does_not_step);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
