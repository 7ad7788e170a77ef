#include "server/api/request_model.h"

#include "server/model/cache.h"
#include "server/model/errors.h"
#include "server/service.h"

struct model *request_model(struct service *service, const struct request *request,
                            struct problem *problem)
{
    struct model *model = NULL, *described;
    enum store_status status =
        model_cache_get(service->cache, request->model, request->version, &model);
    if (status == STORE_NOT_FOUND && request->version != 0 &&
        model_cache_describe(service->cache, request->model, &described) == STORE_OK) {
        model_release(described);
        store_succeeded(status, PROBLEM_VERSION_NOT_FOUND, "such version of the model", problem);
    }
    store_succeeded(status, PROBLEM_MODEL_NOT_FOUND, request->model, problem);
    return model;
}
