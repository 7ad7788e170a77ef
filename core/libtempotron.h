/* libtempotron.h - the whole library: include this one, from C or C++, and link -ltempotron -lm.
 *
 * An encoder turns values into a pattern of spikes (encoder.h, pattern.h); the membranes of a
 * tempotron run it (tempotron.h, membranes.h); training fits the weights to a set of samples
 * (sample_set.h, training.h), evaluation tells how well (evaluation.h). */
#ifndef CORE_LIBTEMPOTRON_H
#define CORE_LIBTEMPOTRON_H

#ifdef __cplusplus
extern "C" {
#endif

#include "byte_table.h"
#include "credit.h"
#include "crew.h"
#include "encoder.h"
#include "evaluation.h"
#include "explanation.h"
#include "gaussian_tuning.h"
#include "loss.h"
#include "membranes.h"
#include "optimizer.h"
#include "pattern.h"
#include "psp_kernel.h"
#include "random.h"
#include "rest.h"
#include "sample_set.h"
#include "schedule.h"
#include "status.h"
#include "tempotron.h"
#include "training.h"

#ifdef __cplusplus
}
#endif

#endif
