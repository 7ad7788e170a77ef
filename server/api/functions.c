/* The stateless functions: SpikingJelly's kernel and loss, as they are. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/loss.h"
#include "core/psp_kernel.h"
#include "server/api/handlers.h"
#include "server/json/float_array.h"

enum { KERNEL_BYTES = 16 }; /* of the text of a value, while it grows */

static void write_kernel(const struct float_array *t, double tau, double tau_s, struct reply *reply)
{
    json_write_object_begin(&reply->body);
    json_write_key(&reply->body, "k");
    json_write_array_begin(&reply->body);
    for (size_t i = 0; i < t->count; i++)
        json_write_float(&reply->body, (float)psp_kernel((double)t->values[i], tau, tau_s));
    json_write_array_end(&reply->body);
    json_write_object_end(&reply->body);
}

void functions_psp_kernel(struct service *service, const struct request *request,
                          struct reply *reply)
{
    (void)service;
    struct fields fields;
    struct float_array t = {0};
    double tau = 15;
    struct document *document =
        document_read(request->body, request->body_size, request->memory, &reply->problem);
    if (fields_open_document(&fields, document, &reply->problem)) {
        float_array_read(&fields, "t", FIELD_REQUIRED, 1, 1, LIMIT_SPIKES, &t);
        fields_number(&fields, "tau", FIELD_OPTIONAL, LIMIT_TAU_MIN, LIMIT_TAU, false, &tau);
        double tau_s = tau / 4;
        fields_number(&fields, "tau_s", FIELD_OPTIONAL, LIMIT_TAU_MIN, LIMIT_TAU, false, &tau_s);
        fields_close(&fields);
        if ((float)tau == (float)tau_s)
            problem_add_field(&reply->problem, PROBLEM_EQUAL_TIME_CONSTANTS, "/tau_s",
                              "tau_s must differ from tau: the potential would be 0 throughout.");
        if (!problem_is_set(&reply->problem) &&
            charge_demand(request->memory, t.count * KERNEL_BYTES, &reply->problem))
            write_kernel(&t, tau, tau_s, reply);
    }
    float_array_finish(&t);
    document_destroy(document);
}

/* --- mse_loss --- */

struct loss_input {
    struct float_array v_max;
    struct float_array v_threshold; /* rank 0 or 2 */
    struct float_array label;
    int64_t num_classes;
};

static void loss_input_finish(struct loss_input *input)
{
    float_array_finish(&input->v_max);
    float_array_finish(&input->v_threshold);
    float_array_finish(&input->label);
}

static void check_shapes(const struct loss_input *input, struct problem *problem)
{
    const size_t *shape = input->v_max.shape;
    if (shape[1] != (size_t)input->num_classes)
        problem_add_field(problem, PROBLEM_WRONG_SHAPE, "/v_max",
                          "v_max has %zu columns for %lld classes.", shape[1],
                          (long long)input->num_classes);
    if (input->v_threshold.rank == 1 ||
        (input->v_threshold.rank == 2 &&
         memcmp(input->v_threshold.shape, shape, 2 * sizeof *shape) != 0))
        problem_add_field(problem, PROBLEM_WRONG_SHAPE, "/v_threshold",
                          "v_threshold must be one number, or have the shape of v_max.");
    if (input->label.count != shape[0])
        problem_add_field(problem, PROBLEM_WRONG_SHAPE, "/label",
                          "There are %zu labels for %zu samples.", input->label.count, shape[0]);
}

/* Returns the labels as class numbers; free() them. NULL with the problem set. */
static int32_t *class_numbers(const struct loss_input *input, struct problem *problem)
{
    char pointer[PROBLEM_POINTER];
    int32_t *label = malloc(input->label.count * sizeof *label);
    if (label == NULL)
        problem_set_no_memory(problem);
    for (size_t i = 0; label != NULL && i < input->label.count; i++) {
        const float value = input->label.values[i];
        if (value >= 0 && value < (float)input->num_classes && value == truncf(value)) {
            label[i] = (int32_t)value;
            continue;
        }
        problem_pointer_index("/label", i, pointer);
        problem_add_field(problem, PROBLEM_LABEL_OUT_OF_RANGE, pointer,
                          "A label must be a whole number in 0..%lld.",
                          (long long)input->num_classes - 1);
    }
    return label;
}

static void answer_loss(const struct loss_input *input, struct reply *reply)
{
    check_shapes(input, &reply->problem);
    int32_t *label = class_numbers(input, &reply->problem);
    if (!problem_is_set(&reply->problem)) {
        const double loss = mse_loss(input->v_max.values, input->v_threshold.values,
                                     input->v_threshold.rank == 2 ? 1 : 0, label,
                                     input->v_max.shape[0], input->v_max.shape[1]);
        json_write_object_begin(&reply->body);
        json_write_member_double(&reply->body, "loss", loss > FLT_MAX ? loss : (double)(float)loss);
        json_write_object_end(&reply->body);
    }
    free(label);
}

void functions_mse_loss(struct service *service, const struct request *request, struct reply *reply)
{
    (void)service;
    struct fields fields;
    struct loss_input input = {0};
    struct document *document =
        document_read(request->body, request->body_size, request->memory, &reply->problem);
    if (fields_open_document(&fields, document, &reply->problem)) {
        bool read =
            float_array_read(&fields, "v_max", FIELD_REQUIRED, 2, 2, LIMIT_SPIKES, &input.v_max);
        read &= float_array_read(&fields, "v_threshold", FIELD_REQUIRED, 0, 2, LIMIT_SPIKES,
                                 &input.v_threshold);
        read &=
            float_array_read(&fields, "label", FIELD_REQUIRED, 1, 1, LIMIT_SPIKES, &input.label);
        read &= fields_integer(&fields, "num_classes", FIELD_REQUIRED, 1, LIMIT_OUT_FEATURES,
                               &input.num_classes);
        fields_close(&fields);
        if (read)
            answer_loss(&input, reply);
    }
    loss_input_finish(&input);
    document_destroy(document);
}
