#include "weight_json.h"

#include "limits.h"

bool weight_read(const json_t *value, const char *pointer, const struct tempotron_params *params,
                 struct problem *problem, float **ret_weight)
{
    struct float_array array;
    if (!float_array_read(value, pointer, 2, 2, LIMIT_WEIGHTS, problem, &array))
        return false;
    if (array.shape[0] != params->out_features || array.shape[1] != params->in_features) {
        problem_add_field(problem, PROBLEM_WRONG_SHAPE, pointer,
                          "The weights must be [%zu][%zu], out_features by in_features, but are "
                          "[%zu][%zu].",
                          params->out_features, params->in_features, array.shape[0],
                          array.shape[1]);
        float_array_finish(&array);
        return false;
    }
    *ret_weight = array.values;
    return true;
}
