#include "server/api/routes.h"

#include "server/api/handlers.h"

#define LISTING                                                                                    \
    {                                                                                              \
        "limit", "cursor"                                                                          \
    }

const struct route routes[] = {
    {"POST",
     "/encode",
     encode_by_request,
     BODY_ARRAY,
     ON_EVENT_LOOP,
     {"type", "n", "m", "x_min", "x_max", "scale", "max_spike_time", "out_of_range"}},
    {"POST", "/psp_kernel", functions_psp_kernel, BODY_JSON, ON_EVENT_LOOP, {0}},
    {"POST", "/mse_loss", functions_mse_loss, BODY_JSON, ON_EVENT_LOOP, {0}},

    {"POST", "/models", models_create, BODY_JSON, ON_POOL, {0}},
    {"GET", "/models", models_list, BODY_NONE, ON_EVENT_LOOP, LISTING},
    {"GET", "/models/{model}", models_get, BODY_NONE, ON_EVENT_LOOP, {0}},
    {"PATCH", "/models/{model}", models_update, BODY_JSON, ON_POOL, {0}},
    {"DELETE", "/models/{model}", models_delete, BODY_NONE, ON_POOL, {0}},
    {"GET", "/models/{model}/versions", versions_list, BODY_NONE, ON_EVENT_LOOP, LISTING},
    {"GET", "/models/{model}/weights", versions_get_weights, BODY_NONE, ON_POOL, {"tensor"}},
    {"GET",
     "/models/{model}/versions/{version}/weights",
     versions_get_weights,
     BODY_NONE,
     ON_POOL,
     {"tensor"}},
    {"PUT", "/models/{model}/weights", versions_put_weights, BODY_ARRAY, ON_POOL, {"tensor"}},

    {"POST", "/models/{model}/encode", encode_by_model, BODY_ARRAY, ON_EVENT_LOOP, {0}},
    {"POST",
     "/models/{model}/predict",
     predict_post,
     BODY_ARRAY,
     ON_EVENT_LOOP,
     {"ret_type", "explain", "k_max"}},
    {"POST",
     "/models/{model}/versions/{version}/predict",
     predict_post,
     BODY_ARRAY,
     ON_EVENT_LOOP,
     {"ret_type", "explain", "k_max"}},
    {"POST",
     "/models/{model}/evaluate",
     evaluate_post,
     BODY_ARRAY,
     ON_EVENT_LOOP,
     {"label", "count", "loss", "beta", "margin_target", "margin_other"}},
    {"POST",
     "/models/{model}/versions/{version}/evaluate",
     evaluate_post,
     BODY_ARRAY,
     ON_EVENT_LOOP,
     {"label", "count", "loss", "beta", "margin_target", "margin_other"}},
    {"POST", "/models/{model}/train", train_post, BODY_JSON, ON_POOL, {0}},

    {"GET", "/datasets", datasets_list, BODY_NONE, ON_EVENT_LOOP, LISTING},
    {"GET", "/datasets/{dataset}", datasets_get, BODY_NONE, ON_EVENT_LOOP, {0}},
    {"PUT", "/datasets/{dataset}", datasets_put_table, BODY_FILE, ON_POOL, {"label"}},
    {"PUT", "/datasets/{dataset}/x", datasets_put_x, BODY_FILE, ON_POOL, {0}},
    {"PUT", "/datasets/{dataset}/label", datasets_put_label, BODY_FILE, ON_POOL, {0}},
    {"DELETE", "/datasets/{dataset}", datasets_delete, BODY_NONE, ON_POOL, {0}},

    {"GET", "/runs", runs_list, BODY_NONE, ON_EVENT_LOOP, {"model", "state", "limit", "cursor"}},
    {"GET", "/runs/{run}", runs_get, BODY_NONE, ON_EVENT_LOOP, {0}},
    {"GET", "/runs/{run}/metrics", runs_metrics, BODY_NONE, ON_EVENT_LOOP, LISTING},
    {"POST", "/runs/{run}/cancel", runs_cancel, BODY_JSON, ON_POOL, {0}},

    {"GET", "/health/live", health_live, BODY_NONE, ON_EVENT_LOOP, {0}},
    {"GET", "/health/ready", health_ready, BODY_NONE, ON_EVENT_LOOP, {0}},
    {"GET", "/openapi.yaml", contract_get, BODY_NONE, ON_EVENT_LOOP, {0}},
};

const size_t routes_count = sizeof routes / sizeof *routes;
