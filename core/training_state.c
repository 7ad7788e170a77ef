#include "core/training_state.h"

#include <string.h>

#include "core/learning_block.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "states are little-endian");

enum { FORMAT = 1 };

/* Only numbers of eight bytes: it has no padding. */
struct head {
    uint64_t format;
    uint64_t optimizer;
    uint64_t depth;
    uint64_t afferents[NETWORK_LAYERS]; /* 0 beyond the depth */
    uint64_t neurons[NETWORK_LAYERS];
    uint64_t count;
    uint64_t has_best;
    /* Those above are the same for all states of a training. */
    uint64_t epoch;
    uint64_t is_drawn;
    uint64_t batch;
    uint64_t decisions;
    uint64_t correct;
    uint64_t best_epoch;
    double loss;
    double best_loss;
};

struct pace {
    uint64_t steps;
    double power1;
    double power2;
};

/* Visits pieces of memory in the order of the format, to write or to fill them. */
struct visit {
    bool (*write)(void *context, const void *bytes, size_t size);
    bool (*read)(void *context, void *ret_bytes, size_t size); /* NULL: it writes */
    void *context;
};

static bool visit_piece(const struct visit *visit, void *bytes, size_t size)
{
    return visit->read != NULL ? visit->read(visit->context, bytes, size)
                               : visit->write(visit->context, bytes, size);
}

/* --- blocks --- */

static size_t block_bytes(const struct tempotron *block)
{
    return block->params.in_features * block->stride * sizeof *block->weight;
}

static bool visit_optimizer(const struct visit *visit, struct optimizer *optimizer, size_t bytes)
{
    struct pace pace = {optimizer->steps, optimizer->power1, optimizer->power2};
    if (!visit_piece(visit, optimizer->first, bytes) ||
        (optimizer->type == OPTIMIZER_ADAM && !visit_piece(visit, optimizer->second, bytes)) ||
        !visit_piece(visit, &pace, sizeof pace))
        return false;
    optimizer->steps = (size_t)pace.steps;
    optimizer->power1 = pace.power1;
    optimizer->power2 = pace.power2;
    return true;
}

static bool visit_blocks(const struct visit *visit, struct learner *learner)
{
    for (size_t b = 0; b < learner_block_count(learner); b++) {
        struct learning_block *block = learner_block(learner, b);
        const size_t bytes = block_bytes(&block->tempotron);
        if (!visit_piece(visit, block->tempotron.weight, bytes) ||
            !visit_optimizer(visit, &block->optimizer, bytes))
            return false;
    }
    return true;
}

static bool visit_best(const struct visit *visit, const struct network *best)
{
    for (size_t l = 0; best != NULL && l < best->depth; l++)
        for (size_t b = 0; b < best->layers[l].block_count; b++)
            if (!visit_piece(visit, best->layers[l].blocks[b]->weight,
                             block_bytes(best->layers[l].blocks[b])))
                return false;
    return true;
}

/* What follows the head. */
static bool visit_body(const struct visit *visit, struct training_state *state)
{
    return visit_piece(visit, &state->random, sizeof state->random) &&
           visit_piece(visit, state->order, state->count * sizeof *state->order) &&
           visit_blocks(visit, state->learner) && visit_best(visit, state->best);
}

/* --- the head --- */

static struct head head_of(const struct training_state *state)
{
    const struct network *network = state->network;
    struct head head = {
        .format = FORMAT,
        .optimizer = learner_block(state->learner, 0)->optimizer.type,
        .depth = network->depth,
        .count = state->count,
        .has_best = state->best != NULL,
        .epoch = state->epoch,
        .is_drawn = state->is_drawn,
        .batch = state->batch,
        .decisions = state->sums.decisions,
        .correct = state->sums.correct,
        .best_epoch = state->best_epoch,
        .loss = state->sums.loss,
        .best_loss = state->best_loss,
    };
    for (size_t l = 0; l < network->depth; l++) {
        head.afferents[l] = layer_afferents(&network->layers[l]);
        head.neurons[l] = layer_neurons(&network->layers[l]);
    }
    return head;
}

static bool head_suits(const struct head *head, const struct training_state *state)
{
    const struct head own = head_of(state);
    return memcmp(head, &own, offsetof(struct head, epoch)) == 0 && head->epoch >= 1 &&
           head->best_epoch < head->epoch && head->batch <= head->count;
}

static void take_head(const struct head *head, struct training_state *state)
{
    state->epoch = (size_t)head->epoch;
    state->is_drawn = head->is_drawn != 0;
    state->batch = (size_t)head->batch;
    state->sums = (struct learner_sums){
        .loss = head->loss,
        .decisions = (size_t)head->decisions,
        .correct = (size_t)head->correct,
    };
    state->best_epoch = (size_t)head->best_epoch;
    state->best_loss = head->best_loss;
}

/* Whether no number leads out of an array. */
static bool is_within(const struct training_state *state)
{
    for (size_t i = 0; i < state->count; i++)
        if (state->order[i] >= state->count)
            return false;
    return state->random.next <= RANDOM_WORDS;
}

/* --- both ways --- */

bool training_state_save(const struct training_state *state,
                         bool (*write)(void *context, const void *bytes, size_t size),
                         void *context)
{
    const struct head head = head_of(state);
    const struct visit visit = {.write = write, .context = context};
    struct training_state same = *state; /* a visit that writes fills it with what it has */
    return write(context, &head, sizeof head) && visit_body(&visit, &same);
}

bool training_state_restore(struct training_state *state,
                            bool (*read)(void *context, void *ret_bytes, size_t size),
                            void *context)
{
    struct head head;
    const struct visit visit = {.read = read, .context = context};
    if (!read(context, &head, sizeof head) || !head_suits(&head, state))
        return false;
    take_head(&head, state);
    return visit_body(&visit, state) && is_within(state);
}
