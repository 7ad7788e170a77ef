/* stored.h - a store for each test, and what most tests put into it: models of 2 x 3 weights, and
 * runs on two samples. */
#ifndef TESTS_SUPPORT_STORED_H
#define TESTS_SUPPORT_STORED_H

#include "server/store/models.h"
#include "server/store/queue.h"
#include "server/store/samples.h"

/* The present test's, open for writing, in a directory of its own; the path of its file. */
extern struct store *store;
extern char store_path[96];

void store_set_up(void);
void store_tear_down(void);
/* As the next process does; opens it also after store_shut() or store_remove(). */
void store_reopen(void);
void store_shut(void);
/* Closes it, and removes its files. */
void store_remove(void);

/* --- what is stored --- */

extern const float six[6], other_six[6];
extern const struct samples two_samples, other_samples;
/* The digests of `six` and of two_samples. */
#define SIX_SHA256         "24ae2dfe8df57c1b80e54cef3d90ac3b417fd98973345a5f616bbc9a75dcc202"
#define TWO_SAMPLES_SHA256 "7f2ffe256485d2046506f7c28c00786a134b78b5254911affb8d0aae5178fb5f"

/* The tensor "weight" of six values, which are borrowed. */
struct tensor weight_of(const float *values);
/* Tensors with their checksum, until eight others are sealed. */
const struct sealed_tensors *seal(const struct tensor *tensors, size_t count);
/* Samples (borrowed) with their checksum. */
struct data_source source_of(const struct samples *samples);

/* A model that serves `six` as its version 1; the second asserts that it could be made, at 1000. */
enum store_status try_model(const char *id, int64_t now);
void insert_model(const char *id);
/* A run of 9 epochs on two_samples, made at 2000, with what it is validated on, or NULL. */
int64_t insert_run(const char *model, const struct samples *validation);

/* A dataset of one sample and one label, both of this value. */
void put_dataset(const char *id, uint8_t value);

/* Claims the next run; 0 if there is none. */
int64_t claim_run(int64_t now);

/* For store_queue_claim(): there is always room. */
bool takes_any_memory(void *context, size_t memory);
/* Publishes the values at 5000. Their version. */
int64_t succeed_run(int64_t run, const float *values);
/* Epochs of the run from one to another, with metrics that tell them apart. */
void add_epochs(int64_t run, int64_t from, int64_t to);

/* --- what is there --- */

/* The number of the model; 0, which is no model's, if there is none of this id. */
int64_t sequence_of(const char *id);
struct run_record find_run(int64_t run);
enum run_state state_of(int64_t run);
int64_t served_by_store(const char *model);

void expect_weight(const char *model, int64_t version, const float *values);
void expect_samples(int64_t run, bool validation, const struct samples *expected);
/* The run of "iris" as insert_run() made it. */
void expect_queued_run(int64_t run);
/* The ids of a page, e.g. "e d". Returns the cursor of the next. */
int64_t expect_models(int64_t before, size_t limit, const char *expected);

/* The number that a query gives on this connection, and on another one. */
int64_t store_number(struct store *of, const char *sql);
int64_t ask_sql(const char *sql);
/* Done by another connection, between two calls of the store's. */
void run_sql(const char *sql);

#endif
