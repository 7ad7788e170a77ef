#include "tests/support/networks.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/arrays.h"
#include "tests/support/client.h"
#include "tests/support/datasets.h"

const char *const network_kinds[NETWORK_KINDS] = {
    "\"hidden\": [24]",
    "\"hidden\": [24], \"hidden_spike\": \"peak\"",
    "\"hidden\": [40, 16]",
    "\"hidden\": [20, 16], \"clock\": \"continuous\"",
    "\"neurons_per_class\": 4, \"score_beta\": 3",
    "\"hidden\": [40], \"neurons_per_class\": 2",
    "\"hidden\": [16, 20, 12], \"clock\": \"continuous\", \"neurons_per_class\": 3",
};

const int network_depths[] = {2, 2, 3, 3, 1, 2, 4}, network_groups[] = {1, 1, 1, 1, 4, 2, 3};

void create_network(const struct service *service, const char *id, int kind, const char *more)
{
    char model[NETWORK_TEXT];
    snprintf(model, sizeof model,
             "{\"id\": \"%s\", \"out_features\": %d, \"T\": 32, \"tau\": 30, \"encoder\": {"
             "\"type\": \"latency\", \"n\": %d, \"x_min\": 0, \"x_max\": 255, \"max_spike_time\":"
             " 16}, %s%s}",
             id, PICTURE_CLASSES, PICTURE_PIXELS, network_kinds[kind], more);
    create_model_of_text(service, model);
}

void put_pictures(const struct service *service, const char *id, const char *type)
{
    double pixels[PICTURES * PICTURE_PIXELS], labels[PICTURES];
    char path[64];
    uint32_t random = 5;
    for (size_t b = 0; b < PICTURES; b++) {
        const size_t at = next_random(&random) % PICTURE_SIDE;
        labels[b] = (double)(b % PICTURE_CLASSES);
        for (size_t i = 0; i < PICTURE_PIXELS; i++) {
            const size_t y = i / PICTURE_SIDE, x = i % PICTURE_SIDE;
            const size_t of_class[PICTURE_CLASSES] = {y, x, (x + y) % PICTURE_SIDE};
            const uint32_t noise = next_random(&random) % 40;
            pixels[b * PICTURE_PIXELS + i] =
                of_class[b % PICTURE_CLASSES] == at ? 200 + noise : noise / 3 * 3;
        }
    }
    snprintf(path, sizeof path, "/datasets/%s/x", id);
    json_decref(put_file(service, path, npy_of_numbers(type, "(60, 4, 4)", pixels, 60 * 16)));
    snprintf(path, sizeof path, "/datasets/%s/label", id);
    json_decref(put_file(service, path, npy_of_numbers("|u1", "(60,)", labels, PICTURES)));
}

json_t *network_order(int kind, const char *dataset, int epochs)
{
    json_t *order =
        json_pack("{s:s, s:i, s:i, s:s, s:f, s:s, s:s, s:f, s:f, s:f, s:{s:i, s:i, s:i}, s:i}",
                  "dataset", dataset, "epochs", epochs, "batch_size", 8, "optimizer", "adam",
                  "learning_rate", 0.02, "learning_rate_schedule", "cosine", "loss",
                  "cross_entropy", "beta", 4.0, "input_dropout", 0.125, "max_grad_norm", 3.5,
                  "augment", "shift", 1, "height", PICTURE_SIDE, "width", PICTURE_SIDE, "seed", 9);
    if (strstr(network_kinds[kind], "hidden") != NULL &&
        strstr(network_kinds[kind], "peak") == NULL)
        json_object_set_new(order, "slope_floor", json_real(1.5));
    if (network_depths[kind] > 1) {
        json_object_set_new(order, "dropout", json_real(0.25));
        json_object_set_new(order, "silence_cost", json_real(1e-4));
    }
    return order;
}

json_t *network_answers(const struct service *service, const char *model)
{
    char path[64];
    snprintf(path, sizeof path, "/models/%s/predict", model);
    json_t *answer =
        http_post(service, path,
                  json_pack("{s:s, s:b, s:[s, s, s, s, s]}", "dataset", "pictures", "explain", 1,
                            "ret_type", "label", "v_max", "score", "spikes", "v"));
    json_object_del(answer, "model");
    json_object_del(answer, "version");
    return answer;
}
