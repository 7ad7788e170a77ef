#include "core/random.h"

enum { MIDDLE = 397 };

void random_init(struct random *random, uint32_t seed)
{
    random->state[0] = seed;
    for (uint32_t i = 1; i < RANDOM_WORDS; i++) {
        const uint32_t previous = random->state[i - 1];
        random->state[i] = 1812433253u * (previous ^ (previous >> 30)) + i;
    }
    random->next = RANDOM_WORDS;
}

static void renew(struct random *random)
{
    uint32_t *state = random->state;
    for (unsigned i = 0; i < RANDOM_WORDS; i++) {
        const uint32_t following = state[(i + 1) % RANDOM_WORDS];
        const uint32_t joined = (state[i] & 0x80000000u) | (following & 0x7fffffffu);
        const uint32_t twist = following & 1 ? 0x9908b0dfu : 0;
        state[i] = state[(i + MIDDLE) % RANDOM_WORDS] ^ (joined >> 1) ^ twist;
    }
    random->next = 0;
}

uint32_t random_bits(struct random *random)
{
    if (random->next == RANDOM_WORDS)
        renew(random);
    uint32_t bits = random->state[random->next++];
    bits ^= bits >> 11;
    bits ^= (bits << 7) & 0x9d2c5680u;
    bits ^= (bits << 15) & 0xefc60000u;
    return bits ^ (bits >> 18);
}

float random_uniform(struct random *random)
{
    return (float)(random_bits(random) & 0xffffffu) * 0x1p-24f;
}

/* Uniform below `limit`: refuses the few high values that would favour some results. */
static uint32_t random_below(struct random *random, uint32_t limit)
{
    const uint32_t unfair = -limit % limit; /* 2^32 mod limit */
    uint32_t bits;
    do
        bits = random_bits(random);
    while (bits < unfair);
    return bits % limit;
}

enum { BETWEEN_CHECKS = 65536 /* some milliseconds if memory is far */ };

bool random_shuffle(struct random *random, uint32_t *items, size_t count,
                    const struct stop_check *stop_check)
{
    for (size_t i = count; i > 1; i--) {
        if (i % BETWEEN_CHECKS == 0 && stop_check_requested(stop_check))
            return false;
        const size_t other = random_below(random, (uint32_t)i);
        const uint32_t item = items[i - 1];
        items[i - 1] = items[other];
        items[other] = item;
    }
    return true;
}
