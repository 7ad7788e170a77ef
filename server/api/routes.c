#include "server/api/routes.h"

#include "server/api/handlers.h"

/* The compiler refuses a list that a request has no room for. */
enum { NAMES = REQUEST_PARAMETERS + 1 };

static const char *const encoder[NAMES] = {
    "type", "n", "m", "x_min", "x_max", "scale", "max_spike_time", "out_of_range", NULL};
static const char *const prediction[NAMES] = {"ret_type", "explain", "k_max", NULL};
static const char *const evaluation[NAMES] = {"label",         "count",        "loss", "beta",
                                              "margin_target", "margin_other", NULL};
static const char *const table[NAMES] = {"label", NULL};
static const char *const tensor[NAMES] = {"tensor", NULL};
static const char *const listing[NAMES] = {"limit", "cursor", NULL};
static const char *const run_listing[NAMES] = {"model", "state", "limit", "cursor", NULL};

const struct route routes[] = {
    {"POST", "/encode", encode_post, BODY_ARRAY, ON_EVENT_LOOP, encoder},
    {"POST", "/psp_kernel", functions_psp_kernel, BODY_JSON, ON_EVENT_LOOP, NULL},
    {"POST", "/mse_loss", functions_mse_loss, BODY_JSON, ON_EVENT_LOOP, NULL},

    {"POST", "/models", models_create, BODY_JSON, ON_POOL, NULL},
    {"GET", "/models", models_list, BODY_NONE, ON_EVENT_LOOP, listing},
    {"GET", "/models/{model}", models_get, BODY_NONE, ON_EVENT_LOOP, NULL},
    {"PATCH", "/models/{model}", models_update, BODY_JSON, ON_POOL, NULL},
    {"DELETE", "/models/{model}", models_delete, BODY_NONE, ON_POOL, NULL},
    {"GET", "/models/{model}/versions", versions_list, BODY_NONE, ON_EVENT_LOOP, listing},
    {"GET", "/models/{model}/weights", versions_get_weights, BODY_NONE, ON_POOL, tensor},
    {"GET", "/models/{model}/versions/{version}/weights", versions_get_weights, BODY_NONE, ON_POOL,
     tensor},
    {"PUT", "/models/{model}/weights", versions_put_weights, BODY_ARRAY, ON_POOL, tensor},

    {"POST", "/models/{model}/encode", encode_post, BODY_ARRAY, ON_EVENT_LOOP, NULL},
    {"POST", "/models/{model}/predict", predict_post, BODY_ARRAY, ON_EVENT_LOOP, prediction},
    {"POST", "/models/{model}/versions/{version}/predict", predict_post, BODY_ARRAY, ON_EVENT_LOOP,
     prediction},
    {"POST", "/models/{model}/evaluate", evaluate_post, BODY_ARRAY, ON_EVENT_LOOP, evaluation},
    {"POST", "/models/{model}/versions/{version}/evaluate", evaluate_post, BODY_ARRAY,
     ON_EVENT_LOOP, evaluation},
    {"POST", "/models/{model}/train", train_post, BODY_JSON, ON_POOL, NULL},

    {"GET", "/datasets", datasets_list, BODY_NONE, ON_EVENT_LOOP, listing},
    {"GET", "/datasets/{dataset}", datasets_get, BODY_NONE, ON_EVENT_LOOP, NULL},
    {"PUT", "/datasets/{dataset}", datasets_put_table, BODY_FILE, ON_POOL, table},
    {"PUT", "/datasets/{dataset}/x", datasets_put_x, BODY_FILE, ON_POOL, NULL},
    {"PUT", "/datasets/{dataset}/label", datasets_put_label, BODY_FILE, ON_POOL, NULL},
    {"DELETE", "/datasets/{dataset}", datasets_delete, BODY_NONE, ON_POOL, NULL},

    {"GET", "/runs", runs_list, BODY_NONE, ON_EVENT_LOOP, run_listing},
    {"GET", "/runs/{run}", runs_get, BODY_NONE, ON_EVENT_LOOP, NULL},
    {"GET", "/runs/{run}/metrics", runs_metrics, BODY_NONE, ON_EVENT_LOOP, listing},
    {"POST", "/runs/{run}/cancel", runs_cancel, BODY_JSON, ON_POOL, NULL},

    {"GET", "/health/live", health_live, BODY_NONE, ON_EVENT_LOOP, NULL},
    {"GET", "/health/ready", health_ready, BODY_NONE, ON_EVENT_LOOP, NULL},
    {"GET", "/openapi.yaml", contract_get, BODY_NONE, ON_EVENT_LOOP, NULL},
};

const size_t routes_count = sizeof routes / sizeof *routes;
