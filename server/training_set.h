/* training_set.h - samples as a run trains on them: where all values are whole numbers 0 .. 255, as
 * the pixels of images are, they become bytes, encoded by a table. */
#ifndef SERVER_TRAINING_SET_H
#define SERVER_TRAINING_SET_H

#include "byte_table.h"
#include "model_config.h"
#include "sample_set.h"
#include "samples.h"
#include "store.h"

struct training_set {
    struct samples samples; /* count 0: none; the values are gone where there are bytes */
    uint8_t *bytes;         /* [count][features], or NULL */
    struct byte_table table;
    struct sample_set view; /* borrows from all of them */
};

/* Takes the samples, which are empty then. STORE_NO_MEMORY. */
enum store_status training_set_init(struct training_set *set, struct samples *take_samples,
                                    const struct model_config *config);
void training_set_finish(struct training_set *set); /* does nothing on a zeroed one */

#endif
