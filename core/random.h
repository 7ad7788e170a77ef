/* random.h - the Mersenne Twister MT19937 (Matsumoto & Nishimura 1998), torch's generator. */
#ifndef CORE_RANDOM_H
#define CORE_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/stop_check.h"

enum { RANDOM_WORDS = 624 };

struct random {
    uint32_t state[RANDOM_WORDS];
    unsigned next; /* the word that is used next; RANDOM_WORDS: new ones are made first */
};

void random_init(struct random *random, uint32_t seed);
uint32_t random_bits(struct random *random);

/* Uniform in [0, 1), a multiple of 2^-24, as torch draws a float32. */
float random_uniform(struct random *random);

/* Puts items[count] into a random order (Fisher & Yates); every order is equally likely.
 * False: a stop was requested, and the order is of no use. */
bool random_shuffle(struct random *random, uint32_t *items, size_t count,
                    const struct stop_check *stop_check);

#endif
