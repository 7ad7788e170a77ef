#include "request_model.h"

#include "registry.h"
#include "service.h"
#include "status_problem.h"

struct model *request_model(struct service *service, const struct request *request,
                            struct problem *problem)
{
    struct model *model = NULL, *described;
    enum store_status status =
        registry_get(service->registry, request->model, request->version, &model);
    if (status == STORE_NOT_FOUND && request->version != 0 &&
        registry_describe(service->registry, request->model, &described) == STORE_OK) {
        model_release(described);
        store_succeeded(status, PROBLEM_VERSION_NOT_FOUND, "such version of the model", problem);
    }
    store_succeeded(status, PROBLEM_MODEL_NOT_FOUND, request->model, problem);
    return model;
}
