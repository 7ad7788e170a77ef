/* Finding clues by counting them: the task of aggregate-label learning (Gütig, Science 351, 2016).
 *
 * 500 afferents fire at random, 5 spikes a second each (Poisson). Ten patterns of 50 ms, random
 * spikes of the same rate but always the same ones, are embedded in trials of 2 s: each of them a
 * random number of times (Poisson, mean 1), at random places that don't overlap, in place of the
 * background. Five are clues, five are distractors. All that one neuron is told is how many spikes
 * a trial is worth: `value` for each time that a clue occurs, which and when is for it to discover.
 * tau = 20 ms, tau_s = 5 ms as in the paper; the lengths, the numbers and the learning rates are
 * ours, and so is the momentum: 0.9 gets there sooner than the paper's 0.99. Every step takes a
 * fresh trial, so that there is nothing to over-fit.
 *
 * The held-out trials are the same ones each time. `right` is the share of them with exactly the
 * right count; `found` the share of the clues' occurrences that made exactly so many spikes as they
 * are worth, from their begin to 20 ms (tau) after their end; `stray` the spikes a trial at any
 * other time or for a distractor; `error` the mean of |spikes - wanted| over the trials learned
 * since the line before, each as it was before its step. Seconds are of learning alone; making the
 * trials takes longer than that.
 *
 *     bench/clues [CASE [SEED [LEARNING_RATE [TRIALS [MOMENTUM [EVERY]]]]]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/activity.h"
#include "core/exponential.h"
#include "core/learner.h"
#include "core/multi_spike.h"
#include "core/random.h"
#include "core/reading.h"
#include "core/spike_counter.h"
#include "tests/support/views.h"

enum {
    AFFERENTS = 500,
    WINDOW = 2000,
    PATTERN = 50, /* ms, as all times */
    PATTERNS = 10,
    CLUES = 5,
    MAX_EMBEDDED = 30, /* of all patterns in a trial */
    AFTER = 20,
    HELD_OUT = 500,
    MAX_SPIKES = 200,
    MAX_TRIAL_SPIKES = 8000 /* 5000 +- 71 are expected */
};

static const double rate = 5e-3; /* spikes a ms */

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- trials --- */

struct patterns {
    uint32_t value[PATTERNS]; /* spikes; 0: a distractor */
    size_t first[PATTERNS][AFFERENTS + 1];
    float time[PATTERNS][MAX_TRIAL_SPIKES];
};

struct occurrence {
    size_t pattern;
    float begin;
};

struct trial {
    size_t embedded;
    struct occurrence occurrence[MAX_EMBEDDED]; /* by time */
    uint32_t wanted;
    uint32_t spikes[AFFERENTS];
    size_t first[2];
    float time[MAX_TRIAL_SPIKES];
};

static double interval(struct random *random)
{
    return -logarithm(1 - (double)random_uniform(random)) / rate;
}

static uint32_t poisson(struct random *random, double mean)
{
    uint32_t count = 0;
    for (double t = -logarithm(1 - (double)random_uniform(random)); t < mean; count++)
        t -= logarithm(1 - (double)random_uniform(random));
    return count;
}

static void draw_patterns(struct patterns *patterns, const uint32_t *value, struct random *random)
{
    memset(patterns, 0, sizeof *patterns);
    memcpy(patterns->value, value, CLUES * sizeof *value);
    for (size_t p = 0; p < PATTERNS; p++) {
        size_t count = 0;
        for (size_t i = 0; i < AFFERENTS; i++) {
            for (double t = interval(random); t < PATTERN; t += interval(random))
                patterns->time[p][count++] = (float)t;
            patterns->first[p][i + 1] = count;
        }
    }
}

static int compare_times(const void *a, const void *b)
{
    const float left = *(const float *)a, right = *(const float *)b;
    return (left > right) - (left < right);
}

/* Which patterns, and where. */
static void embed(struct trial *trial, const struct patterns *patterns, struct random *random)
{
    uint32_t which[MAX_EMBEDDED];
    float place[MAX_EMBEDDED];
    size_t count = 0;
    trial->wanted = 0;
    for (uint32_t p = 0; p < PATTERNS; p++)
        for (uint32_t n = poisson(random, 1); n > 0 && count < MAX_EMBEDDED; n--)
            which[count++] = p;
    random_shuffle(random, which, count, NULL);
    for (size_t i = 0; i < count; i++)
        place[i] = random_uniform(random) * (float)(WINDOW - PATTERN * count);
    qsort(place, count, sizeof *place, compare_times);
    for (size_t i = 0; i < count; i++) {
        trial->occurrence[i] =
            (struct occurrence){.pattern = which[i], .begin = place[i] + (float)(PATTERN * i)};
        trial->wanted += patterns->value[which[i]];
    }
    trial->embedded = count;
}

static bool is_background(const struct trial *trial, double t)
{
    for (size_t o = 0; o < trial->embedded; o++) {
        const double into = t - (double)trial->occurrence[o].begin;
        if (into < PATTERN)
            return into < 0;
    }
    return true;
}

static void draw_trial(struct trial *trial, const struct patterns *patterns, struct random *random)
{
    size_t count = 0;
    embed(trial, patterns, random);
    for (size_t i = 0; i < AFFERENTS; i++) {
        const size_t before = count;
        for (double t = interval(random); t < WINDOW; t += interval(random))
            if (count < MAX_TRIAL_SPIKES && is_background(trial, t))
                trial->time[count++] = (float)t;
        for (size_t o = 0; o < trial->embedded; o++) {
            const struct occurrence *occurrence = &trial->occurrence[o];
            const size_t *first = patterns->first[occurrence->pattern];
            const float *time = patterns->time[occurrence->pattern];
            for (size_t s = first[i]; s < first[i + 1] && count < MAX_TRIAL_SPIKES; s++)
                trial->time[count++] = occurrence->begin + time[s];
        }
        trial->spikes[i] = (uint32_t)(count - before);
    }
    trial->first[1] = count;
}

static struct samples view(struct trial *trial)
{
    struct samples samples = view_trains(1, AFFERENTS, trial->spikes, trial->time, trial->first);
    samples.targets =
        (struct targets){.kind = TARGETS_COUNT, .outputs = 1, .wanted = &trial->wanted};
    return samples;
}

/* --- held-out trials --- */

struct score {
    double right;
    double found;
    double stray;
};

/* What the output is counted with. */
struct probe {
    struct activity activity;
    struct reading_scratch scratch;
};

static void score_trial(const struct trial *trial, const struct patterns *patterns,
                        const struct spike_train *train, size_t *clues, struct score *sums)
{
    size_t elicited = 0;
    sums->right += train->count == trial->wanted;
    for (size_t o = 0; o < trial->embedded; o++) {
        const struct occurrence *occurrence = &trial->occurrence[o];
        const double begin = (double)occurrence->begin;
        const double next =
            o + 1 < trial->embedded ? (double)trial->occurrence[o + 1].begin : WINDOW;
        const double end = begin + PATTERN + AFTER < next ? begin + PATTERN + AFTER : next;
        const uint32_t value = patterns->value[occurrence->pattern];
        size_t spikes = 0;
        for (size_t s = 0; s < train->count; s++)
            spikes += train->time[s] >= begin && train->time[s] < end;
        if (value == 0)
            continue;
        elicited += spikes;
        sums->found += spikes == value;
        ++*clues;
    }
    sums->stray += (double)(train->count - elicited);
}

static struct score score(const struct network *network, struct trial *trials,
                          const struct patterns *patterns, struct probe *probe)
{
    struct score sums = {0};
    size_t clues = 0;
    for (size_t b = 0; b < HELD_OUT; b++) {
        const struct samples set = view(&trials[b]);
        struct layer_activity *layer = &probe->activity.layers[0];
        samples_pattern(&set, NULL, 0, activity_input(&probe->activity));
        activity_forward(network, &probe->scratch.membranes, &probe->activity);
        spike_counter_take_pattern(&probe->scratch.counter, &network->layers[0], &layer->pattern,
                                   &layer->timeline);
        spike_counter_count(&probe->scratch.counter, &network->layers[0], &layer->pattern, 0);
        score_trial(&trials[b], patterns, &probe->scratch.counter.train, &clues, &sums);
    }
    return (struct score){.right = sums.right / HELD_OUT,
                          .found = sums.found / (double)clues,
                          .stray = sums.stray / HELD_OUT};
}

/* --- learning --- */

struct task {
    const char *name;
    uint32_t value[CLUES];
    double learning_rate;
    double momentum;
    size_t trials;
    size_t every; /* trials learned between two looks at the held-out ones */
};

static const struct task tasks[] = {
    {"one spike a clue", {1, 1, 1, 1, 1}, 1e-4, 0.9, 16000, 1000},
    {"1 to 5 spikes a clue", {1, 2, 3, 4, 5}, 2e-4, 0.9, 200000, 10000},
};

struct student {
    struct network *network;
    struct training_params params;
    struct learner *learner;
    struct patterns patterns;
    struct trial held_out[HELD_OUT];
    struct trial trial;
    struct probe probe;
    struct arena arena; /* of the probe */
    struct random random;
};

static struct student *prepare(const struct task *task, uint32_t seed)
{
    const struct network_params shape = {
        .tempotron = {CLOCK_CONTINUOUS, AFFERENTS, 1, WINDOW, 20, 5, 1},
        .read_out = {.kind = READ_OUT_SPIKE_COUNT, .spike_count = {.max_spikes = MAX_SPIKES}},
    };
    float weight[AFFERENTS];
    const float *const layers[] = {weight};
    struct student *student = calloc(1, sizeof *student);
    if (student == NULL)
        abort();
    student->params.momentum = task->momentum;
    const struct learner_options options = {
        .params = &student->params, .capacity = MAX_TRIAL_SPIKES, .batch_size = 1};
    tempotron_draw_weight(seed, AFFERENTS, 1, weight);
    if (network_create(&shape, layers, &student->network) != CORE_OK ||
        learner_create(student->network, &options, &student->learner) != CORE_OK)
        abort();
    activity_init(&student->probe.activity, student->network, MAX_TRIAL_SPIKES, &student->arena);
    reading_scratch_init(&student->probe.scratch, student->network, MAX_TRIAL_SPIKES, false,
                         &student->arena);
    if (arena_status(&student->arena) != CORE_OK)
        abort();
    random_init(&student->random, seed);
    draw_patterns(&student->patterns, task->value, &student->random);
    for (size_t b = 0; b < HELD_OUT; b++)
        draw_trial(&student->held_out[b], &student->patterns, &student->random);
    return student;
}

static void destroy(struct student *student)
{
    arena_finish(&student->arena);
    learner_destroy(student->learner);
    network_destroy(student->network);
    free(student);
}

/* How far it is. */
struct progress {
    size_t trials;
    double seconds;
    double making;
};

/* So many trials more; the mean error. */
static double learn_trials(struct student *student, const struct task *task,
                           struct progress *progress)
{
    const uint32_t sample = 0;
    const struct batch batch = {
        .epoch = 1, .samples = &sample, .count = 1, .learning_rate = task->learning_rate};
    struct learner_sums sums = {0};
    for (size_t n = 0; n < task->every; n++, progress->trials++) {
        const double begin = seconds();
        draw_trial(&student->trial, &student->patterns, &student->random);
        const struct samples samples = view(&student->trial);
        const double made = seconds();
        learner_batch(student->learner, &samples, &batch, &sums);
        progress->seconds += seconds() - made;
        progress->making += made - begin;
    }
    return sums.loss / (double)sums.decisions;
}

/* When so many of the held-out trials were first right. */
struct milestone {
    double right;
    struct progress at; /* no trials: never */
};

static void report(const struct milestone *milestone)
{
    if (milestone->at.trials > 0)
        printf("%.0f %% right: after %zu trials, %.1f s of learning\n", 100 * milestone->right,
               milestone->at.trials, milestone->at.seconds);
}

static void learn(const struct task *task, uint32_t seed)
{
    struct student *student = prepare(task, seed);
    struct progress progress = {0};
    struct milestone milestones[] = {{.right = 0.8}, {.right = 0.9}, {.right = 0.98}};
    const size_t count = sizeof milestones / sizeof *milestones;
    printf("%s, seed %u, learning rate %g, momentum %g\n", task->name, seed, task->learning_rate,
           task->momentum);
    puts("  trials  seconds us/trial   error  right %  found %   stray");
    while (progress.trials < task->trials) {
        const double before = progress.seconds, error = learn_trials(student, task, &progress);
        const struct score now =
            score(student->network, student->held_out, &student->patterns, &student->probe);
        printf("%8zu %8.1f %8.0f %7.2f %8.1f %8.1f %7.2f\n", progress.trials, progress.seconds,
               (progress.seconds - before) / (double)task->every * 1e6, error, 100 * now.right,
               100 * now.found, now.stray);
        fflush(stdout);
        for (size_t i = 0; i < count; i++)
            if (milestones[i].at.trials == 0 && now.right >= milestones[i].right)
                milestones[i].at = progress;
    }
    for (size_t i = 0; i < count; i++)
        report(&milestones[i]);
    printf("making the trials took %.1f s\n\n", progress.making);
    destroy(student);
}

int main(int argc, char **argv)
{
    const uint32_t seed = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1;
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
        struct task task = tasks[i];
        if (argc > 1 && strtoul(argv[1], NULL, 10) != i)
            continue;
        if (argc > 3)
            task.learning_rate = strtod(argv[3], NULL);
        if (argc > 4)
            task.trials = strtoul(argv[4], NULL, 10);
        if (argc > 5)
            task.momentum = strtod(argv[5], NULL);
        if (argc > 6)
            task.every = strtoul(argv[6], NULL, 10);
        learn(&task, seed);
    }
    return EXIT_SUCCESS;
}
