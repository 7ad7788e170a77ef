/* libtempotron.h - the whole library: values become spike times, tempotrons learn from spike times
 * and classify them. From C or C++: include this header, link with -ltempotron -lm (or ask
 * `pkg-config --cflags --libs libtempotron`).
 *
 * A complete program. Two values become the spikes of 2 x 8 afferents, and two tempotrons learn
 * whether the values are alike:
 *
 *     #include <libtempotron.h>
 *     #include <stdio.h>
 *
 *     int main(void)
 *     {
 *         const float x_min[] = {0, 0}, x_max[] = {1, 1};
 *         const float x[4][2] = {{0.1f, 0.1f}, {0.9f, 0.9f}, {0.1f, 0.9f}, {0.9f, 0.1f}};
 *         const int32_t alike[4] = {1, 1, 0, 0};
 *         struct tempotron_encoder *encoder = NULL;
 *         struct tempotron_model *model = NULL;
 *         float in_spikes[4][16];
 *         int32_t label[4];
 *
 *         enum tempotron_status status =
 *             tempotron_encoder_gaussian_tuning(2, 8, x_min, x_max, 50, &encoder);
 *         if (status == TEMPOTRON_OK)
 *             tempotron_encode(encoder, x[0], 4, in_spikes[0]);
 *
 *         struct tempotron_model_params params = tempotron_model_defaults(16, 2);
 *         params.hidden_count = 1;
 *         params.hidden[0] = 16;
 *         if (status == TEMPOTRON_OK)
 *             status = tempotron_model_create(&params, NULL, &model);
 *
 *         const struct tempotron_samples samples = {
 *             .count = 4, .in_spikes = in_spikes[0], .label = alike};
 *         struct tempotron_training training = tempotron_training_defaults();
 *         training.epochs = 200;
 *         if (status == TEMPOTRON_OK)
 *             status = tempotron_train(model, &samples, NULL, &training);
 *         const struct tempotron_prediction prediction = {.label = label};
 *         if (status == TEMPOTRON_OK)
 *             status = tempotron_predict(model, &samples, &prediction);
 *
 *         for (int i = 0; status == TEMPOTRON_OK && i < 4; i++)
 *             printf("%.1f %.1f: %s\n", x[i][0], x[i][1], label[i] == 1 ? "alike" : "different");
 *         if (status != TEMPOTRON_OK)
 *             fprintf(stderr, "%s\n", tempotron_status_text(status));
 *         tempotron_model_destroy(model);
 *         tempotron_encoder_destroy(encoder);
 *         return status;
 *     }
 */
#ifndef LIBTEMPOTRON_H
#define LIBTEMPOTRON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TEMPOTRON_VERSION "0.1.0"

/* Every time is in steps, whatever a step means to the caller; a negative spike time means that the
 * afferent is silent. Arrays are row-major. What a call is given is borrowed until it returns.
 * Outputs are untouched if a call fails. A model or an encoder may be used by several threads at
 * the same time, except while tempotron_train() changes the model. */

enum tempotron_status {
    TEMPOTRON_OK = 0,
    TEMPOTRON_INVALID,   /* an argument is outside its bounds */
    TEMPOTRON_NO_MEMORY, /* an allocation failed */
    TEMPOTRON_DIVERGED,  /* the loss or a weight is no longer finite: the model is as before */
    TEMPOTRON_STOPPED    /* on_epoch ended the training: the model is as before */
};

/* A sentence without a full stop, in static memory. */
const char *tempotron_status_text(enum tempotron_status status);

/* The postsynaptic potential without v0: exp(-t/tau) - exp(-t/tau_s) for t >= 0, else 0 (Gütig &
 * Sompolinsky 2006). tau and tau_s are above 0. */
double tempotron_psp_kernel(double t, double tau, double tau_s);

/* --- encoders: real values become spike times --- */

struct tempotron_encoder;

/* m > 2 neurons with overlapping Gaussian receptive fields for each of n features, with
 * x_min[n] < x_max[n] (Bohte, Kok & La Poutré 2002). 1 <= max_spike_time <= 4194304. */
enum tempotron_status tempotron_encoder_gaussian_tuning(size_t n, size_t m, const float *x_min,
                                                        const float *x_max, uint32_t max_spike_time,
                                                        struct tempotron_encoder **ret_encoder);
/* One neuron for each of n features: the greater the value, the earlier its spike. Values at x_min
 * and below are silent. Bounds as above. */
enum tempotron_status tempotron_encoder_latency(size_t n, const float *x_min, const float *x_max,
                                                uint32_t max_spike_time,
                                                struct tempotron_encoder **ret_encoder);
void tempotron_encoder_destroy(struct tempotron_encoder *encoder); /* takes NULL */

/* How many afferents a sample becomes: n m, or n. */
size_t tempotron_encoder_afferents(const struct tempotron_encoder *encoder);

/* x[count][n] becomes ret_in_spikes[count][afferents]. */
void tempotron_encode(const struct tempotron_encoder *encoder, const float *x, size_t count,
                      float *ret_in_spikes);

/* --- models: tempotrons, with or without hidden layers --- */

enum tempotron_clock_type {
    TEMPOTRON_CLOCK_GRID,      /* voltages at t = 0, 1 .. T - 1 */
    TEMPOTRON_CLOCK_CONTINUOUS /* the exact maximum on [0, T]; without hidden layers */
};

enum { TEMPOTRON_HIDDEN_LAYERS = 8 };

struct tempotron_model_params {
    size_t in_features;  /* afferents, >= 1 */
    size_t out_features; /* classes, >= 1 */
    size_t T;            /* steps, >= 1 */
    double tau;          /* the membrane's time constant in steps, > 0, != tau_s */
    double tau_s;        /* the synapse's, > 0 */
    double v_threshold;  /* > 0 */
    enum tempotron_clock_type clock;
    size_t hidden_count;                    /* 0 .. TEMPOTRON_HIDDEN_LAYERS */
    size_t hidden[TEMPOTRON_HIDDEN_LAYERS]; /* neurons of each hidden layer, >= 1 */
    uint32_t seed;                          /* draws the weights that are not given */
};

/* T = 100, tau = 15, tau_s = 3.75, v_threshold = 1, the grid, no hidden layer, seed 0. */
struct tempotron_model_params tempotron_model_defaults(size_t in_features, size_t out_features);

struct tempotron_model;

/* weight[hidden_count + 1] are the layers' [neurons][afferents]; NULL: they are drawn. */
enum tempotron_status tempotron_model_create(const struct tempotron_model_params *params,
                                             const float *const *weight,
                                             struct tempotron_model **ret_model);
void tempotron_model_destroy(struct tempotron_model *model); /* takes NULL */

/* Copies the weights of a layer, counted from 0: ret_weight[neurons][afferents]. */
void tempotron_model_weight(const struct tempotron_model *model, size_t layer, float *ret_weight);

/* --- samples, training, prediction --- */

struct tempotron_samples {
    size_t count; /* >= 1 */
    /* One spike time for each afferent, [count][in_features]; or NULL, and then spike trains: */
    const float *in_spikes;
    const uint32_t *spikes; /* [count][in_features] how many spikes an afferent has */
    const float *times;     /* all spike times: sample by sample, afferent by afferent */
    const int32_t *label;   /* [count] the class, 0 .. out_features - 1; NULL for a prediction */
};

enum tempotron_loss_type {
    TEMPOTRON_LOSS_MSE,           /* SpikingJelly's mse_loss */
    TEMPOTRON_LOSS_CROSS_ENTROPY, /* softmax cross-entropy of beta v_max */
    TEMPOTRON_LOSS_TEMPOTRON      /* Gütig & Sompolinsky's rule */
};

struct tempotron_training {
    size_t epochs;        /* >= 1 */
    size_t batch_size;    /* >= 1 */
    double learning_rate; /* > 0 */
    int adam;             /* 0: SGD with momentum */
    double momentum;      /* of SGD, 0 <= momentum < 1 */
    double weight_decay;  /* >= 0, decoupled from the gradient */
    enum tempotron_loss_type loss;
    double beta;     /* of the cross-entropy, > 0 */
    int shuffle;     /* the samples of each epoch */
    uint32_t seed;   /* same seed, same bits */
    size_t patience; /* epochs without a lower validation loss; 0: all epochs are trained */
    /* Called after each epoch, counted from 1; stops the training if it does not return 0. NULL:
     * never. The accuracy is over the epoch's samples, as seen before each update. */
    int (*on_epoch)(void *context, size_t epoch, double loss, double accuracy);
    void *context;
};

/* 100 epochs of batches of 64, shuffled, with Adam, a learning rate of 0.01 and the cross-entropy
 * with beta 5; seed 0, no patience. */
struct tempotron_training tempotron_training_defaults(void);

/* Trains the model in place. validation may be NULL. */
enum tempotron_status tempotron_train(struct tempotron_model *model,
                                      const struct tempotron_samples *samples,
                                      const struct tempotron_samples *validation,
                                      const struct tempotron_training *training);

/* Arrays to fill, each of which may be NULL. */
struct tempotron_prediction {
    int32_t *label; /* [count] the class with the highest v_max; -1: no spike reached the outputs */
    float *v_max;   /* [count][out_features] */
    float *spikes;  /* [count][out_features] the time of v_max if it reaches v_threshold, else -1 */
    float *v;       /* [count][out_features][T] the voltages at t = 0 .. T - 1 */
};

enum tempotron_status tempotron_predict(const struct tempotron_model *model,
                                        const struct tempotron_samples *samples,
                                        const struct tempotron_prediction *ret_prediction);

#ifdef __cplusplus
}
#endif

#endif
