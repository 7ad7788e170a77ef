/* datasets.h - a server that takes datasets, the one dataset that most tests put, and what the
 * database holds of it. */
#ifndef TESTS_SUPPORT_DATASETS_H
#define TESTS_SUPPORT_DATASETS_H

#include <stddef.h>
#include <stdint.h>

#include "tests/support/http.h"

enum { DATASET_COUNT = 40, DATASET_FEATURES = 3, DATASET_CLASSES = 3 };
#define DATASET_SHAPE "(40, 3)"

/* A server that takes no file beyond 1 MB. */
void datasets_start(void);

/* Whole numbers 0 .. 255, so that every type except int8 holds them, and their classes. */
double dataset_number(size_t i, size_t k);
double dataset_class(size_t i);

/* A model "id" of 3 features and 3 classes. */
json_t *model_with_encoder(const char *id);

/* Puts a file; the second takes it, and returns the dataset. */
struct http_answer put_bytes(const struct service *service, const char *path,
                             const struct bytes *file);
json_t *put_file(const struct service *service, const char *path, struct bytes file);
/* Asserts 200 or, if the dataset is new, 201 and then its Location. */
void expect_dataset(const struct http_answer *answer);

/* The numbers or the classes, in a type that .npy names. */
void put_x(const struct service *service, const char *path, const char *type);
void put_label(const struct service *service, const char *path, const char *type);
/* Both, as bytes, to a dataset of this id. */
void put_both(const struct service *service, const char *id);

/* What the server's database says, and changes of it, behind its back. */
int64_t number_in_database(const struct service *service, const char *sql);
void change_database(const struct service *service, const char *sql);
/* So many arrays of datasets are there, each with its bytes, once what belongs to nothing is swept
 * away, and no file beside the database and its log. */
void expect_arrays(const struct service *service, int64_t count);

/* Changes a row behind the server's back, whatever the table's own checks say. */
void damage_database(const struct service *service, const char *sql);

#endif
