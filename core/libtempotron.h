/* libtempotron.h - the whole library: include this one, from C or C++, and link -ltempotron -lm.
 *
 * An encoder turns values into a pattern of spikes (encoder.h, pattern.h); a network of tempotrons
 * runs it, layer by layer (network.h, activity.h, membranes.h); training fits the weights to a set
 * of samples (samples.h, training.h), evaluation tells how well (evaluation.h). What is
 * read out of the last layer, and learned, is in read_out.h and its kinds. */
#ifndef CORE_LIBTEMPOTRON_H
#define CORE_LIBTEMPOTRON_H

#ifdef __cplusplus
extern "C" {
#endif

#include "core/activity.h"
#include "core/augmentation.h"
#include "core/background.h"
#include "core/byte_table.h"
#include "core/credit.h"
#include "core/critical_threshold.h"
#include "core/dropout.h"
#include "core/encoder.h"
#include "core/encoding.h"
#include "core/evaluation.h"
#include "core/explanation.h"
#include "core/gaussian_tuning.h"
#include "core/intervals.h"
#include "core/latency.h"
#include "core/layer.h"
#include "core/learner.h"
#include "core/loss.h"
#include "core/membranes.h"
#include "core/multi_spike.h"
#include "core/network.h"
#include "core/optimizer.h"
#include "core/pattern.h"
#include "core/psp_kernel.h"
#include "core/random.h"
#include "core/read_out.h"
#include "core/samples.h"
#include "core/schedule.h"
#include "core/spike_count_read_out.h"
#include "core/spike_counter.h"
#include "core/status.h"
#include "core/stop_check.h"
#include "core/tempotron.h"
#include "core/thread_team.h"
#include "core/timeline.h"
#include "core/training.h"
#include "core/training_loop.h"
#include "core/v_max_read_out.h"

#ifdef __cplusplus
}
#endif

#endif
