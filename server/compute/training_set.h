/* training_set.h - samples as a run trains on them: bytes, encoded by the model's table, wherever
 * that goes. */
#ifndef SERVER_COMPUTE_TRAINING_SET_H
#define SERVER_COMPUTE_TRAINING_SET_H

#include "core/sample_set.h"
#include "server/base/samples.h"
#include "server/model/model.h"

struct training_set {
    struct samples samples; /* count 0: none */
    struct sample_set view; /* borrows from them, and from the model */
};

/* Takes the samples, which are empty then. STORE_NO_MEMORY. */
enum store_status training_set_init(struct training_set *set, struct samples *take_samples,
                                    const struct model *model);
void training_set_finish(struct training_set *set); /* does nothing on a zeroed one */

#endif
