/* Any bytes as a document that the store keeps: the config of a model, the names of classes, the
 * parameters of a run. What is accepted is written, and reads back as the same. The first byte says
 * which it is. */
#include <string.h>

#include "server/base/limits.h"
#include "server/compute/run_params.h"
#include "server/model/config_json.h"
#include "server/model/labels_json.h"
#include "tests/fuzz/fuzz.h"

enum { CLASSES = 3 };

static bool read_config(const char *text, struct model_config *ret_config)
{
    struct fields fields;
    struct problem problem = {0};
    struct document *document = document_read_stored(text, &problem);
    const bool is_read =
        fields_open_document(&fields, document, &problem) && config_json_read(&fields, ret_config);
    demand_outcome(is_read, &problem);
    document_destroy(document);
    return is_read;
}

static void try_config(const char *text)
{
    struct model_config config, again;
    if (!read_config(text, &config))
        return;
    char *first = config_json_text(&config);
    demand(first != NULL && read_config(first, &again));
    char *second = config_json_text(&again);
    demand(second != NULL && strcmp(first, second) == 0);
    demand(network_outputs(&config.network) <= LIMIT_OUT_FEATURES);
    model_config_finish(&config);
    model_config_finish(&again);
    free(first);
    free(second);
}

static void try_labels(const char *text)
{
    struct labels labels = {0};
    struct problem problem = {0};
    struct document *document = document_read_stored(text, &problem);
    const bool is_read = document != NULL &&
                         labels_json_read(document_root(document), "", CLASSES, &problem, &labels);
    demand_outcome(is_read, &problem);
    if (is_read) {
        demand(labels.count == CLASSES && labels_duplicate(&labels) == NULL);
        for (size_t i = 0; i < CLASSES; i++)
            demand(labels_find(&labels, labels.names[i]) == (int32_t)i);
    }
    labels_finish(&labels);
    document_destroy(document);
}

/* The config of a model without hidden layers, or with one. */
static struct model_config model(bool is_deep)
{
    struct model_config config = {0};
    demand(read_config(is_deep ? "{\"in_features\":8,\"out_features\":3,\"T\":20,\"hidden\":[5]}"
                               : "{\"in_features\":8,\"out_features\":3,\"T\":20}",
                       &config));
    return config;
}

static bool read_params(const char *text, const struct model_config *config, struct buffer *json)
{
    struct fields fields;
    struct run_params params;
    struct problem problem = {0};
    struct document *document = document_read_stored(text, &problem);
    const bool is_read = fields_open_document(&fields, document, &problem) &&
                         run_params_read(&fields, config, &params);
    demand_outcome(is_read, &problem);
    if (is_read)
        run_params_write(json, config, &params);
    document_destroy(document);
    return is_read;
}

static void try_params(const char *text, bool is_deep)
{
    struct buffer first = {0}, second = {0};
    struct model_config config = model(is_deep);
    if (read_params(text, &config, &first)) {
        buffer_add(&first, "", 1);
        demand(!first.failed && read_params(first.bytes, &config, &second));
        demand(first.size == second.size + 1 &&
               memcmp(first.bytes, second.bytes, second.size) == 0);
    }
    buffer_finish(&first);
    buffer_finish(&second);
    model_config_finish(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *text = malloc(size);
    demand(text != NULL);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    switch (data[0] % 4) {
    case 0:
        try_config(text);
        break;
    case 1:
        try_labels(text);
        break;
    default:
        try_params(text, data[0] % 4 == 3);
    }
    free(text);
    return 0;
}
