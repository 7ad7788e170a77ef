/* libtempotron.h - the whole library: include this one, from C or C++, and link -ltempotron -lm.
 *
 * An encoder turns values into a pattern of spikes (encoder.h, pattern.h); a network of tempotrons
 * runs it, layer by layer (network.h, activity.h, membranes.h); training fits the weights to a set
 * of samples (sample_set.h, training.h), evaluation tells how well (evaluation.h). Outputs that
 * fire many times do so in firing.h and learn how often to in count_training.h. */
#ifndef CORE_LIBTEMPOTRON_H
#define CORE_LIBTEMPOTRON_H

#ifdef __cplusplus
extern "C" {
#endif

#include "activity.h"
#include "augmentation.h"
#include "byte_table.h"
#include "count_training.h"
#include "course.h"
#include "credit.h"
#include "crew.h"
#include "critical_threshold.h"
#include "dropout.h"
#include "encoder.h"
#include "evaluation.h"
#include "explanation.h"
#include "firing.h"
#include "gaps.h"
#include "gaussian_tuning.h"
#include "latency.h"
#include "layer.h"
#include "learner.h"
#include "loss.h"
#include "membranes.h"
#include "network.h"
#include "optimizer.h"
#include "pattern.h"
#include "psp_kernel.h"
#include "random.h"
#include "read_out.h"
#include "rest.h"
#include "sample_set.h"
#include "schedule.h"
#include "status.h"
#include "tempotron.h"
#include "timeline.h"
#include "training.h"
#include "watch.h"

#ifdef __cplusplus
}
#endif

#endif
