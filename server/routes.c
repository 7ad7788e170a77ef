#include "routes.h"

#include "handlers.h"

#define LISTING                                                                                    \
    {                                                                                              \
        "limit", "cursor"                                                                          \
    }

const struct route routes[] = {
    {"POST", "/encode", function_encode, true, {0}},
    {"POST", "/psp_kernel", function_psp_kernel, true, {0}},
    {"POST", "/mse_loss", function_mse_loss, true, {0}},

    {"POST", "/models", models_create, true, {0}},
    {"GET", "/models", models_list, false, LISTING},
    {"GET", "/models/{model}", models_get, false, {0}},
    {"PATCH", "/models/{model}", models_update, true, {0}},
    {"DELETE", "/models/{model}", models_delete, false, {0}},
    {"GET", "/models/{model}/versions", versions_list, false, LISTING},
    {"GET", "/models/{model}/weights", weights_get, false, {0}},
    {"PUT", "/models/{model}/weights", weights_put, true, {0}},

    {"POST", "/models/{model}/encode", model_encode, true, {0}},
    {"POST", "/models/{model}/predict", model_predict, true, {0}},
    {"POST", "/models/{model}/versions/{version}/predict", model_predict, true, {0}},
    {"POST", "/models/{model}/evaluate", model_evaluate, true, {0}},
    {"POST", "/models/{model}/train", model_train, true, {0}},

    {"GET", "/runs", runs_list, false, {"model", "state", "limit", "cursor"}},
    {"GET", "/runs/{run}", runs_get, false, {0}},
    {"GET", "/runs/{run}/metrics", runs_metrics, false, LISTING},
    {"POST", "/runs/{run}/cancel", runs_cancel, true, {0}},

    {"GET", "/health/live", health_live, false, {0}},
    {"GET", "/health/ready", health_ready, false, {0}},
    {"GET", "/openapi.yaml", contract_get, false, {0}},
};

const size_t routes_count = sizeof routes / sizeof *routes;
