/* networks.h - models of every kind of network, and small pictures of three classes that they
 * learn. */
#ifndef TESTS_SUPPORT_NETWORKS_H
#define TESTS_SUPPORT_NETWORKS_H

#include "tests/support/http.h"

enum {
    PICTURE_SIDE = 4,
    PICTURE_PIXELS = PICTURE_SIDE * PICTURE_SIDE,
    PICTURES = 60,
    PICTURE_CLASSES = 3,
    NETWORK_TEXT = 1024 /* bytes for a request that a test writes */
};

/* The fields that make each kind, how many layers it has, and how many neurons for each class. */
enum { NETWORK_KINDS = 7 };
extern const char *const network_kinds[NETWORK_KINDS];
extern const int network_depths[NETWORK_KINDS], network_groups[NETWORK_KINDS];

/* Fields of a model without an encoder. */
#define FOUR_TO_TWO "\"in_features\": 4, \"out_features\": 2, \"T\": 20"

/* A model of this kind for the pictures, with more fields, which begin with a comma, or "". */
void create_network(const struct service *service, const char *id, int kind, const char *more);
/* The pictures as a dataset, in a type that .npy names. */
void put_pictures(const struct service *service, const char *id, const char *type);
/* A train request on a dataset of them, with every parameter that the kind has. */
json_t *network_order(int kind, const char *dataset, int epochs);
/* Everything that a model, or a version ("m/versions/1"), says to the dataset "pictures". */
json_t *network_answers(const struct service *service, const char *model);

#endif
