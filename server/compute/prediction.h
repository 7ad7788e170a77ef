/* prediction.h - what a model makes of samples: named arrays, and how each decision came about.
 *
 * Each kind of read-out has a table of what it can give, and a file that fills it:
 * v_max_prediction.c, spike_count_prediction.c. */
#ifndef SERVER_COMPUTE_PREDICTION_H
#define SERVER_COMPUTE_PREDICTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/explanation.h"
#include "core/samples.h"
#include "core/status.h"
#include "core/stop_check.h"
#include "core/thread_team.h"
#include "server/base/dtype.h"
#include "server/model/model.h"

enum {
    PREDICTION_TYPES = 6, /* of a read-out, at most */
    PREDICTION_RANK = 3,
    PREDICTION_ARRAYS = PREDICTION_TYPES + HIDDEN_LAYERS
};

/* How the values of an array are written in a document. */
enum prediction_style {
    PREDICTION_NUMBERS, /* null for NaN */
    PREDICTION_CLASSES, /* names or numbers of classes; null for a negative one */
    PREDICTION_LISTS    /* the last dimension as a list that ends before the first NaN: no array of
                           application/x-npy */
};

/* What a dimension of an array counts, after that of the samples. */
enum prediction_axis {
    PREDICTION_NO_AXIS,
    PREDICTION_OUTPUTS, /* classes */
    PREDICTION_NEURONS, /* of the last layer */
    PREDICTION_HIDDEN,  /* neurons of a hidden layer: an array for each of them */
    PREDICTION_TIMES,   /* t = 0 .. T - 1 */
    PREDICTION_SPIKES,  /* max_spikes */
    PREDICTION_K        /* 1 .. k_max spikes */
};

/* What ret_type can ask for. */
struct prediction_type {
    const char *name;
    enum dtype dtype;
    enum prediction_style style;
    enum prediction_axis axes[PREDICTION_RANK - 1];
    bool is_default; /* if nothing is asked for */
};

/* What is asked for. */
struct prediction_options {
    bool wanted[PREDICTION_TYPES]; /* by the read-out's types */
    bool explains;                 /* of READ_OUT_V_MAX */
    size_t k_max;                  /* of PREDICTION_K */
};

struct prediction_array {
    const char *name;
    const char *group; /* the member whose object holds it; NULL: it is a member itself */
    enum dtype dtype;
    enum prediction_style style;
    unsigned rank;
    size_t shape[PREDICTION_RANK]; /* [samples][...] */
    void *values;                  /* owned */
};

/* What a kind of read-out can give, and how it is predicted. */
struct prediction_sample; /* see prediction_kind.h */
struct prediction_kind {
    const struct prediction_type *types; /* in the order of an answer, ended by a NULL name */
    /* Threads may share a sample's outputs; else one thread predicts all of a sample. */
    bool splits_outputs;
    /* Numbers of an answer for one sample, as LIMIT_ANSWER counts them. */
    size_t (*size)(const struct model_config *config, const struct prediction_options *options);
    /* What predicting a sample of that many spikes costs; see LIMIT_WORK. */
    uint64_t (*work)(const struct model_config *config, const struct prediction_options *options,
                     size_t spikes);
    /* Called once by each thread that has a part in a sample. */
    void (*begin)(const struct prediction_sample *sample);
    /* Predicts one output, or all of the sample. False: no memory. */
    bool (*fill)(const struct prediction_sample *sample, size_t output);
};
const struct prediction_kind *prediction_kind(const struct read_out *read_out);

/* How the decision about a sample came about. */
enum { CONTRIBUTIONS = 10 };
struct decision {
    bool is_made;
    double t_max;  /* of the output decided for */
    size_t output; /* whose peak it is: of the class decided for, the greatest */
    double margin; /* how far the score is above the next class's; with one class, v_threshold */
    size_t count;
    struct contribution contributions[CONTRIBUTIONS];
};

struct prediction {
    size_t count; /* samples */
    size_t array_count;
    struct prediction_array arrays[PREDICTION_ARRAYS];
    struct prediction_array *of[PREDICTION_TYPES]; /* the first one of a type; NULL: not wanted */
    struct decision *decisions;                    /* [count]; NULL: they are not explained */
};

/* Predicts all samples. The team may be NULL; any gives the same bits. So may the stop check, which
 * ends it with CORE_STOPPED. Free with prediction_finish() in any case. */
enum core_status predict(const struct model *model, const struct samples *samples,
                         const struct prediction_options *options, const struct thread_team *team,
                         const struct stop_check *stop_check, struct prediction *ret_prediction);
void prediction_finish(struct prediction *prediction);

#endif
