#include "server/compute/run_memory.h"

#include "core/background.h"
#include "core/training_memory.h"
#include "server/compute/checkpoint.h"

enum {
    OF_ANY_RUN = 1024 * 1024,   /* a thread's stack, what the store reads, the run itself */
    OF_EACH_THREAD = 64 * 1024, /* a stack, in part */
    STEPS_A_BLOCK = 4           /* at which the background of a block fires, mostly */
};

/* encoding.c: the table of bytes, and the background with it. */
static size_t of_encoding(const struct model_config *config)
{
    const struct network_params *params = &config->network;
    if (!config->has_encoder)
        return 0;
    const size_t n = encoder_features(&config->encoder);
    const size_t rows = n / BACKGROUND_BLOCK * STEPS_A_BLOCK;
    const size_t tables =
        n / BYTE_TABLE_SHARE < BYTE_TABLE_RANGES ? n / BYTE_TABLE_SHARE : BYTE_TABLE_RANGES;
    return 2 * n * sizeof(uint32_t) + tables * 256 * sizeof(struct byte_code) +
           (params->tempotron.clock == CLOCK_GRID
                ? rows * (network_neurons(params, 0) + BLOCK_NEURONS) * sizeof(float)
                : 0);
}

/* checkpoint.c: the weights, their moments and the best weights, while they are written; and a
 * chunk, of which SQLite makes a row and then pages. At the end, what is published takes their
 * place. */
static size_t of_checkpoint(const struct run_params *params, size_t weights, size_t samples)
{
    const size_t copies =
        2u + (params->training.optimizer == OPTIMIZER_ADAM) + (params->training.loop.patience > 0);
    const size_t state = copies * weights + samples * sizeof(uint32_t);
    return state + 2 * (state < CHECKPOINT_CHUNK ? state : CHECKPOINT_CHUNK);
}

size_t run_memory(const struct model_config *config, const struct run_params *params,
                  const struct run_set *training, const struct run_set *validation,
                  unsigned threads)
{
    const struct augmentation *augmentation = &params->training.augmentation;
    const size_t drawn =
        params->validation_fraction > 0
            ? run_params_validation_count(training->count, params->validation_fraction)
            : 0;
    const struct training_size size = {
        .capacity =
            training->capacity > validation->capacity ? training->capacity : validation->capacity,
        .samples = training->count - drawn,
        .validation = validation->count + drawn,
        .batch_size = params->training.loop.batch_size,
        .pixels = augmentation->shift > 0 ? augmentation->height * augmentation->width : 0,
        .threads = threads,
    };
    const size_t base = training_memory_of_weights(&config->network);
    const size_t shares = drawn > 0 ? training->count * sizeof(uint32_t) : 0;
    return OF_ANY_RUN + threads * (size_t)OF_EACH_THREAD + training->bytes + validation->bytes +
           shares + base + of_checkpoint(params, base, size.samples) + 2 * of_encoding(config) +
           training_memory(&config->network, &size);
}
