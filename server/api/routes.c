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
    {"POST", "/encode", encode_post, ROLE_READ_ONLY, BODY_ARRAY, ON_EVENT_LOOP, encoder},
    {"POST", "/psp_kernel", functions_psp_kernel, ROLE_READ_ONLY, BODY_JSON, ON_EVENT_LOOP, NULL},
    {"POST", "/mse_loss", functions_mse_loss, ROLE_READ_ONLY, BODY_JSON, ON_EVENT_LOOP, NULL},

    {"POST", "/models", models_create, ROLE_READ_WRITE, BODY_JSON, ON_WRITE_LANE, NULL},
    {"GET", "/models", models_list, ROLE_READ_ONLY, BODY_NONE, ON_EVENT_LOOP, listing},
    {"GET", "/models/{model}", models_get, ROLE_READ_ONLY, BODY_NONE, ON_EVENT_LOOP, NULL},
    {"PATCH", "/models/{model}", models_update, ROLE_READ_WRITE, BODY_JSON, ON_WRITE_LANE, NULL},
    {"DELETE", "/models/{model}", models_delete, ROLE_READ_WRITE, BODY_NONE, ON_WRITE_LANE, NULL},
    {"GET", "/models/{model}/versions", versions_list, ROLE_READ_ONLY, BODY_NONE, ON_EVENT_LOOP,
     listing},
    {"GET", "/models/{model}/weights", versions_get_weights, ROLE_READ_ONLY, BODY_NONE, ON_POOL,
     tensor},
    {"GET", "/models/{model}/versions/{version}/weights", versions_get_weights, ROLE_READ_ONLY,
     BODY_NONE, ON_POOL, tensor},
    {"PUT", "/models/{model}/weights", versions_put_weights, ROLE_READ_WRITE, BODY_ARRAY, ON_POOL,
     tensor},

    {"POST", "/models/{model}/encode", encode_post, ROLE_READ_ONLY, BODY_ARRAY, ON_EVENT_LOOP,
     NULL},
    {"POST", "/models/{model}/predict", predict_post, ROLE_READ_ONLY, BODY_ARRAY,
     ON_EVENT_LOOP_IF_CACHED, prediction},
    {"POST", "/models/{model}/versions/{version}/predict", predict_post, ROLE_READ_ONLY, BODY_ARRAY,
     ON_EVENT_LOOP_IF_CACHED, prediction},
    {"POST", "/models/{model}/evaluate", evaluate_post, ROLE_READ_ONLY, BODY_ARRAY,
     ON_EVENT_LOOP_IF_CACHED, evaluation},
    {"POST", "/models/{model}/versions/{version}/evaluate", evaluate_post, ROLE_READ_ONLY,
     BODY_ARRAY, ON_EVENT_LOOP_IF_CACHED, evaluation},
    {"POST", "/models/{model}/train", train_post, ROLE_READ_WRITE, BODY_JSON, ON_WRITE_LANE, NULL},

    {"GET", "/datasets", datasets_list, ROLE_READ_ONLY, BODY_NONE, ON_EVENT_LOOP, listing},
    {"GET", "/datasets/{dataset}", datasets_get, ROLE_READ_ONLY, BODY_NONE, ON_EVENT_LOOP, NULL},
    {"PUT", "/datasets/{dataset}", datasets_put_table, ROLE_READ_WRITE, BODY_FILE, ON_POOL, table},
    {"PUT", "/datasets/{dataset}/x", datasets_put_x, ROLE_READ_WRITE, BODY_FILE, ON_POOL, NULL},
    {"PUT", "/datasets/{dataset}/label", datasets_put_label, ROLE_READ_WRITE, BODY_FILE, ON_POOL,
     NULL},
    {"DELETE", "/datasets/{dataset}", datasets_delete, ROLE_READ_WRITE, BODY_NONE, ON_WRITE_LANE,
     NULL},

    {"GET", "/runs", runs_list, ROLE_READ_ONLY, BODY_NONE, ON_EVENT_LOOP, run_listing},
    {"GET", "/runs/{run}", runs_get, ROLE_READ_ONLY, BODY_NONE, ON_EVENT_LOOP, NULL},
    {"GET", "/runs/{run}/metrics", runs_metrics, ROLE_READ_ONLY, BODY_NONE, ON_EVENT_LOOP, listing},
    {"POST", "/runs/{run}/cancel", runs_cancel, ROLE_READ_WRITE, BODY_JSON, ON_WRITE_LANE, NULL},
    {"POST", "/runs/{run}/resume", runs_resume, ROLE_READ_WRITE, BODY_JSON, ON_WRITE_LANE, NULL},

    {"GET", "/health/live", health_live, ROLE_NONE, BODY_NONE, ON_EVENT_LOOP, NULL},
    {"GET", "/health/ready", health_ready, ROLE_NONE, BODY_NONE, ON_EVENT_LOOP, NULL},
    {"GET", "/openapi.yaml", contract_get, ROLE_READ_ONLY, BODY_NONE, ON_EVENT_LOOP, NULL},
    {"POST", "/backup", backup_post, ROLE_ADMIN, BODY_NONE, ON_POOL, NULL},
};

const size_t routes_count = sizeof routes / sizeof *routes;
