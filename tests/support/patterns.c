#include "tests/support/patterns.h"

#include <check.h>
#include <stdio.h>

#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/runs.h"

void patterns_start(void)
{
    fixture_start(FLAGS("--workers", "2", "--log", "errors"));
}

json_t *patterns(size_t count)
{
    json_t *batch = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *sample = json_array();
        for (size_t j = 0; j < PATTERN_AFFERENTS; j++)
            json_array_append_new(
                sample, json_integer((json_int_t)(37 * i + 13 * j + i * j) % PATTERN_STEPS));
        json_array_append_new(batch, sample);
    }
    return batch;
}

static json_t *labels(size_t count)
{
    json_t *batch = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(batch, json_integer((json_int_t)(i % PATTERN_CLASSES)));
    return batch;
}

void create_pattern_model(const struct service *service, const char *id)
{
    create_model(service,
                 json_pack("{s:s, s:i, s:i, s:i, s:i}", "id", id, "in_features", PATTERN_AFFERENTS,
                           "out_features", PATTERN_CLASSES, "T", PATTERN_STEPS, "seed", 7));
}

json_t *pattern_order(int epochs, int seed)
{
    enum { SAMPLES = 120 };
    return json_pack("{s:o, s:o, s:i, s:i, s:i, s:f, s:s, s:s}", "in_spikes", patterns(SAMPLES),
                     "label", labels(SAMPLES), "epochs", epochs, "seed", seed, "batch_size", 16,
                     "learning_rate", 0.01, "optimizer", "adam", "loss", "cross_entropy");
}

json_int_t queue_patterns(const struct service *service, const char *model, int epochs)
{
    return run_queue(service, model, pattern_order(epochs, 1));
}

json_t *predict_pattern(const struct service *service, const char *model, json_int_t version)
{
    char path[160], of_version[64] = "";
    if (version > 0)
        snprintf(of_version, sizeof of_version, "/versions/%lld", (long long)version);
    snprintf(path, sizeof path, "/models/%s%s/predict", model, of_version);
    return http_call(service, 200, "POST", path,
                     json_pack("{s:o, s:s}", "in_spikes", patterns(1), "ret_type", "v_max"));
}

json_int_t served_version(const struct service *service, const char *model)
{
    json_t *answer = predict_pattern(service, model, 0);
    const json_int_t version = member_integer(answer, "version");
    json_decref(answer);
    return version;
}

json_t *newest_version(const struct service *service, const char *model)
{
    char path[128];
    snprintf(path, sizeof path, "/models/%s/versions?limit=1", model);
    json_t *list = http_get(service, path);
    json_t *newest = json_incref(json_array_get(json_object_get(list, "versions"), 0));
    ck_assert_ptr_nonnull(newest);
    json_decref(list);
    return newest;
}
