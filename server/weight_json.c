#include "weight_json.h"

#include "limits.h"

bool weight_read(struct fields *fields, const struct tempotron_params *params, float **ret_weight)
{
    struct float_array array;
    if (!fields_float_array(fields, "weight", FIELD_REQUIRED, 2, 2, LIMIT_WEIGHTS, &array))
        return false;
    if (array.shape[0] != params->out_features || array.shape[1] != params->in_features) {
        problem_add_field(fields->problem, PROBLEM_WRONG_SHAPE, "/weight",
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
