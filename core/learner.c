/* learner.c - a batch is worked through in phases, each shared out to the team.
 *
 * Every sample has a slot for what comes of it. The samples are encoded; layer by layer, each block
 * of hidden neurons then runs all of them, while its weights are in the cache; the last layer is
 * read out and, sample by sample, the loss is traced back to where it depends on each neuron's
 * voltage. At last each block adds the credit of all slots to its gradient, in the order of the
 * samples, and steps. No number is ever summed by two threads, so the bits are the same for any
 * team. A batch whose slots would take too much memory takes the phases several times before its
 * step. */
#include "core/learner.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/backward.h"
#include "core/dropout.h"
#include "core/learning_block.h"
#include "core/reading.h"
#include "core/slot.h"
#include "core/thread_scratch.h"

enum {
    PART_WORK = 128 * 1024 /* of network_work() that makes it worth to wake another thread */
};

struct learner {
    struct learner_options options;
    struct encoding encoding; /* without a background: every spike learns */
    struct network network;   /* the caller's; its blocks are those below */
    size_t slot_count;
    struct slot *slots;
    size_t part_count;              /* of the team */
    struct thread_scratch *scratch; /* [part_count] */
    size_t block_count;
    struct learning_block *blocks;    /* of all layers, one after the other */
    struct tempotron **tempotrons;    /* [block_count] the network's layers point in here */
    size_t first[NETWORK_LAYERS + 1]; /* the first block of each layer */
    size_t splits;                    /* parts of a block's rows, if there are few blocks */
    bool freezes;                     /* outputs without an error do not step */

    /* The samples in the slots now. */
    const struct samples *samples;
    const uint32_t *numbers; /* [sample_count] of the samples */
    size_t sample_count;
    size_t epoch;
    size_t batch;        /* the samples of the whole batch */
    size_t layer;        /* that is run */
    bool steps;          /* the batch is complete, and steps as its gradient is */
    atomic_bool stopped; /* the stop check has ended it */

    struct arena arena;
};

/* --- memory --- */

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

void learner_destroy(struct learner *learner)
{
    if (learner == NULL)
        return;
    arena_finish(&learner->arena);
    free(learner);
}

static size_t count_blocks(const struct network *network)
{
    size_t count = 0;
    for (size_t l = 0; l < network->depth; l++)
        count += network->layers[l].block_count;
    return count;
}

/* Puts the blocks that learn in the place of the network's own. */
static void init_blocks(struct learner *learner, const struct network *network)
{
    const size_t count = count_blocks(network);
    struct arena *arena = &learner->arena;
    learner->network = *network;
    learner->blocks = arena_place(arena, count, sizeof *learner->blocks);
    learner->tempotrons = arena_place(arena, count, sizeof *learner->tempotrons);
    for (size_t l = 0; !arena->failed && l < network->depth; l++) {
        const struct layer *layer = &network->layers[l];
        learner->first[l] = learner->block_count;
        learner->network.layers[l].blocks = learner->tempotrons + learner->block_count;
        for (size_t b = 0; b < layer->block_count; b++) {
            struct learning_block *block = &learner->blocks[learner->block_count];
            learner->tempotrons[learner->block_count++] = &block->tempotron;
            learning_block_init(block, layer->blocks[b], l, b, learner->options.params, arena);
        }
    }
    learner->first[network->depth] = learner->block_count;
}

static void init_slots(struct learner *learner, const struct network *network)
{
    const size_t capacity = learner->options.capacity;
    const size_t fitting = LEARNER_SLOTS_BYTES / slot_bytes(network, capacity);
    learner->slot_count = min(learner->options.batch_size, fitting > 0 ? fitting : 1);
    learner->slots = arena_place(&learner->arena, learner->slot_count, sizeof *learner->slots);
    for (size_t i = 0; learner->slots != NULL && i < learner->slot_count; i++)
        slot_init(&learner->slots[i], network, capacity, &learner->arena);
}

static void init_scratch(struct learner *learner, const struct network *network)
{
    const struct learner_options *options = &learner->options;
    const struct augmentation *augmentation = &options->params->augmentation;
    const size_t pixels = augmentation->shift > 0 ? augmentation->height * augmentation->width : 0;
    const uint64_t work = learner->slot_count * network_work(&network->params, options->capacity);
    learner->part_count = min(thread_team_size(options->team), (size_t)(work / PART_WORK + 1));
    learner->splits = learner->block_count >= 4 * learner->part_count ? 1 : learner->part_count;
    learner->scratch = arena_place(&learner->arena, learner->part_count, sizeof *learner->scratch);
    for (size_t i = 0; learner->scratch != NULL && i < learner->part_count; i++)
        thread_scratch_init(&learner->scratch[i], network, options->capacity, pixels,
                            &learner->arena);
}

enum core_status learner_create(struct network *network, const struct learner_options *options,
                                struct learner **ret_learner)
{
    struct learner *learner = calloc(1, sizeof *learner);
    if (learner == NULL)
        return CORE_NO_MEMORY;
    learner->options = *options;
    if (options->encoding != NULL)
        learner->encoding = *options->encoding;
    learner->encoding.background = NULL;
    learner->freezes = read_out_freezes(&network->params.read_out, &options->params->loss);
    init_blocks(learner, network);
    init_slots(learner, network);
    init_scratch(learner, network);
    const enum core_status status = arena_status(&learner->arena);
    if (status == CORE_OK)
        *ret_learner = learner;
    else
        learner_destroy(learner);
    return status;
}

/* --- the samples: encoded, fired, read out and traced back --- */

/* Whether a stop was requested; notes it for all threads. */
static bool stops(struct learner *learner)
{
    if (!stop_check_requested(learner->options.stop_check))
        return false;
    atomic_store(&learner->stopped, true);
    return true;
}

static void encode(const struct learner *learner, size_t i, struct thread_scratch *scratch)
{
    const struct training_params *params = learner->options.params;
    const uint32_t sample = learner->numbers[i];
    struct slot *slot = &learner->slots[i];
    struct pattern *pattern = activity_input(&slot->activity);
    slot->stream = dropout_stream_of(params->loop.seed, learner->epoch, sample);
    if (params->augmentation.shift > 0)
        augmentation_pattern(&params->augmentation, learner->samples, &learner->encoding, sample,
                             &slot->stream, scratch->image, pattern);
    else
        samples_pattern(learner->samples, &learner->encoding, sample, pattern);
    dropout_apply(pattern, params->input_dropout, &slot->stream);
}

static void take_spikes(const struct learner *learner, struct slot *slot)
{
    const size_t below = learner->layer - 1;
    struct layer_activity *layers = slot->activity.layers;
    activity_pass_on(&layers[below], layer_neurons(&learner->network.layers[below]),
                     &layers[below + 1].pattern);
    dropout_apply(&layers[below + 1].pattern, learner->options.params->dropout, &slot->stream);
}

static void read_out(struct learner *learner, size_t i, struct thread_scratch *scratch)
{
    const size_t last = learner->network.depth - 1;
    const struct training_params *params = learner->options.params;
    const struct reading_task task = {
        .targets = &learner->samples->targets,
        .sample = samples_row(learner->samples, learner->numbers[i]),
        .loss = &params->loss,
        .batch = learner->batch,
        .stop_check = learner->options.stop_check,
    };
    struct slot *slot = &learner->slots[i];
    if (!reading_take(&learner->network, &task, &scratch->reading, &slot->activity,
                      &slot->gradients[last], &slot->reading)) {
        atomic_store(&learner->stopped, true);
        return;
    }
    for (size_t l = last; l-- > 0;)
        backward_trace(&learner->network, params, learner->batch, l, slot, scratch);
}

/* Encodes the samples, or takes the spikes of the layer before, and reads the last layer out. */
static void begin_layer(void *work, size_t part)
{
    struct learner *learner = work;
    struct thread_scratch *scratch = &learner->scratch[part];
    const struct layer *layer = &learner->network.layers[learner->layer];
    for (size_t i = part; i < learner->sample_count; i += learner->part_count) {
        struct slot *slot = &learner->slots[i];
        struct layer_activity *activity = &slot->activity.layers[learner->layer];
        if (stops(learner))
            return;
        if (learner->layer == 0)
            encode(learner, i, scratch);
        else
            take_spikes(learner, slot);
        timeline_read(&activity->timeline, layer->blocks[0], &activity->pattern);
        if (learner->layer + 1 == learner->network.depth)
            read_out(learner, i, scratch);
    }
}

static void fire_layer(void *work, size_t part)
{
    struct learner *learner = work;
    const struct layer *layer = &learner->network.layers[learner->layer];
    for (size_t b = part; b < layer->block_count; b += learner->part_count) {
        for (size_t i = 0; i < learner->sample_count && !stops(learner); i++)
            activity_fire_block(layer->blocks[b], learner->network.params.hidden_spike, b,
                                &learner->scratch[part].reading.membranes,
                                &learner->slots[i].activity.layers[learner->layer]);
    }
}

static void run_samples(struct learner *learner)
{
    const struct thread_team *team = learner->options.team;
    for (learner->layer = 0; learner->layer < learner->network.depth; learner->layer++) {
        thread_team_run(team, begin_layer, learner, learner->part_count);
        if (learner->layer + 1 < learner->network.depth && !atomic_load(&learner->stopped))
            thread_team_run(team, fire_layer, learner, learner->part_count);
        if (atomic_load(&learner->stopped))
            return;
    }
}

/* --- the blocks: their gradient and their step --- */

static void step_rows(const struct learner *learner, struct learning_block *block, size_t first,
                      size_t end)
{
    const bool is_last = block->layer + 1 == learner->network.depth;
    learning_block_step(block, first, end, learner->freezes && is_last);
}

static void learn_blocks(void *work, size_t part)
{
    struct learner *learner = work;
    for (size_t unit = part; unit < learner->block_count * learner->splits;
         unit += learner->part_count) {
        struct learning_block *block = &learner->blocks[unit / learner->splits];
        const size_t rows = block->tempotron.params.in_features, split = unit % learner->splits;
        const size_t first = rows * split / learner->splits;
        const size_t end = rows * (split + 1) / learner->splits;
        for (size_t i = 0; i < learner->sample_count; i++) {
            struct slot *slot = &learner->slots[i];
            const struct layer_activity *layer = &slot->activity.layers[block->layer];
            if (!learner->steps && stops(learner))
                return;
            credit_add(backward_find_credit(&learner->network, block->layer, block->number, slot,
                                            &learner->scratch[part]),
                       &layer->pattern, &layer->timeline, first, end, block->gradient);
        }
        if (learner->steps)
            step_rows(learner, block, first, end);
    }
}

static void sum_squares(void *work, size_t part)
{
    struct learner *learner = work;
    for (size_t b = part; b < learner->block_count; b += learner->part_count)
        learning_block_fill_squares(&learner->blocks[b]);
}

static void limit_gradient(struct learner *learner)
{
    const double max = learner->options.params->max_grad_norm;
    double sum = 0;
    thread_team_run(learner->options.team, sum_squares, learner, learner->part_count);
    for (size_t b = 0; b < learner->block_count; b++)
        learning_block_add_squares(&learner->blocks[b], &sum);
    const double norm = sqrt(sum);
    for (size_t b = 0; norm > max && b < learner->block_count; b++)
        optimizer_scale(&learner->blocks[b].optimizer, max / norm);
}

static void step_blocks(void *work, size_t part)
{
    struct learner *learner = work;
    for (size_t b = part; b < learner->block_count; b += learner->part_count)
        step_rows(learner, &learner->blocks[b], 0, learner->blocks[b].tempotron.params.in_features);
}

/* --- a batch --- */

static void freeze(struct learner *learner)
{
    for (size_t b = learner->first[learner->network.depth - 1]; b < learner->block_count; b++)
        learning_block_freeze(&learner->blocks[b]);
}

static bool all_are_frozen(const struct learner *learner)
{
    for (size_t b = learner->first[learner->network.depth - 1]; b < learner->block_count; b++)
        if (!learning_block_is_frozen(&learner->blocks[b]))
            return false;
    return true;
}

static void tally(const struct learner *learner, struct learner_sums *sums)
{
    const size_t last = learner->network.depth - 1;
    for (size_t i = 0; i < learner->sample_count; i++) {
        const struct slot *slot = &learner->slots[i];
        sums->loss += slot->reading.loss;
        sums->decisions += slot->reading.decisions;
        sums->correct += slot->reading.correct;
        for (size_t b = learner->first[last]; learner->freezes && b < learner->block_count; b++)
            learning_block_thaw(&learner->blocks[b], &slot->gradients[last]);
    }
}

static void begin_step(struct learner *learner, const struct batch *batch)
{
    for (size_t b = 0; b < learner->block_count; b++)
        optimizer_begin(&learner->blocks[b].optimizer, batch->learning_rate,
                        learner->options.params->weight_decay);
}

/* Adds what the slots teach to the gradients; with `batch`, which they complete, steps. A step that
 * has begun is not stopped, so that the weights are always those of a whole number of steps. */
static void learn(struct learner *learner, const struct batch *batch)
{
    const struct learner_options *options = &learner->options;
    const bool limits = options->params->max_grad_norm > 0;
    const bool steps_apart = limits || backward_reads_weights(&learner->network);
    learner->steps = batch != NULL && !steps_apart;
    if (learner->steps)
        begin_step(learner, batch);
    thread_team_run(options->team, learn_blocks, learner, learner->part_count);
    if (atomic_load(&learner->stopped) || batch == NULL || !steps_apart)
        return;
    begin_step(learner, batch);
    if (limits)
        limit_gradient(learner);
    thread_team_run(options->team, step_blocks, learner, learner->part_count);
}

enum core_status learner_batch(struct learner *learner, const struct samples *samples,
                               const struct batch *batch, struct learner_sums *sums)
{
    learner->samples = samples;
    learner->epoch = batch->epoch;
    learner->batch = batch->count;
    freeze(learner);
    for (size_t done = 0; done < batch->count; done += learner->sample_count) {
        learner->numbers = batch->samples + done;
        learner->sample_count = min(learner->slot_count, batch->count - done);
        run_samples(learner);
        if (atomic_load(&learner->stopped))
            return CORE_STOPPED;
        tally(learner, sums);
        if (learner->freezes && all_are_frozen(learner))
            continue;
        learn(learner, done + learner->sample_count == batch->count ? batch : NULL);
        if (atomic_load(&learner->stopped))
            return CORE_STOPPED;
    }
    return CORE_OK;
}

size_t learner_block_count(const struct learner *learner)
{
    return learner->block_count;
}

struct learning_block *learner_block(struct learner *learner, size_t number)
{
    return &learner->blocks[number];
}
