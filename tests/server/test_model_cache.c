/* The models in memory: which of them stay when the budget is used up. A server makes the models,
 * and the cache is then asked directly: over HTTP a model that was kept can't be told from one that
 * was loaded again. */
#include <check.h>
#include <stdint.h>
#include <stdio.h>

#include "server/model/cache.h"
#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/suite.h"

enum { MODELS = 4 };

static const char *const ids[MODELS] = {"a", "b", "c", "d"};

static struct store_pool *stores;
static struct model_cache *cache;
static struct model *held[32]; /* so that none is made where another was */
static size_t held_count;

static struct model *get(const char *id)
{
    struct model *model;
    ck_assert_int_eq(model_cache_get(cache, id, 0, &model), STORE_OK);
    ck_assert_str_eq(model->id, id);
    ck_assert_uint_lt(held_count, sizeof held / sizeof *held);
    return held[held_count++] = model;
}

static void open_cache(size_t budget_bytes)
{
    ck_assert_int_eq(store_pool_create(server.database, &stores), STORE_OK);
    cache = model_cache_create(stores, NULL, budget_bytes);
    ck_assert_ptr_nonnull(cache);
}

static void close_cache(void)
{
    while (held_count > 0)
        model_release(held[--held_count]);
    model_cache_destroy(cache);
    store_pool_destroy(stores);
}

/* Models of one size, which it returns; the server has ended then. */
static size_t make_models(void)
{
    for (size_t i = 0; i < MODELS; i++)
        create_plain_model(&server, ids[i]);
    service_stop(&server);
    open_cache(SIZE_MAX);
    const size_t bytes = get("a")->bytes;
    close_cache();
    ck_assert_uint_gt(bytes, 0);
    return bytes;
}

START_TEST(the_models_used_least_recently_leave)
{
    const size_t bytes = make_models();
    open_cache(2 * bytes + bytes / 2);
    struct model *a = get("a"), *b = get("b");
    ck_assert_ptr_eq(get("a"), a);
    struct model *c = get("c"); /* b leaves */
    ck_assert_ptr_eq(get("a"), a);
    ck_assert_ptr_eq(get("c"), c);
    struct model *b_again = get("b"); /* a leaves */
    ck_assert_ptr_ne(b_again, b);
    ck_assert_ptr_eq(get("c"), c);
    ck_assert_ptr_eq(get("b"), b_again);
    ck_assert_ptr_ne(get("a"), a);
    close_cache();
}
END_TEST

START_TEST(only_what_is_in_memory_is_there_at_once)
{
    open_cache(MODELS * make_models());
    ck_assert(!model_cache_has(cache, "a", 0));
    get("a");
    ck_assert(model_cache_has(cache, "a", 0));
    ck_assert(model_cache_has(cache, "a", 1));
    ck_assert(!model_cache_has(cache, "a", 2));
    ck_assert(!model_cache_has(cache, "b", 0));
    close_cache();
}
END_TEST

START_TEST(a_budget_that_fits_exactly_keeps_all)
{
    const size_t bytes = make_models();
    struct model *models[MODELS];
    open_cache(MODELS * bytes);
    for (size_t i = 0; i < MODELS; i++)
        models[i] = get(ids[i]);
    for (size_t i = 0; i < MODELS; i++)
        ck_assert_ptr_eq(get(ids[i]), models[i]);
    close_cache();
}
END_TEST

START_TEST(a_model_larger_than_the_budget_is_served_and_not_kept)
{
    const size_t bytes = make_models();
    open_cache(bytes - 1);
    struct model *a = get("a");
    ck_assert_ptr_ne(get("a"), a);
    close_cache();
}
END_TEST

START_TEST(a_model_that_left_is_loaded_as_it_was)
{
    const size_t bytes = make_models();
    struct weights before, after;
    open_cache(bytes);
    struct model *a = get("a");
    get("b");
    struct model *a_again = get("a");
    ck_assert_ptr_ne(a, a_again);
    ck_assert(weights_copy(a->network, &before) && weights_copy(a_again->network, &after));
    ck_assert_mem_eq(before.layers[0], after.layers[0], 4 * sizeof(float));
    weights_finish(&before);
    weights_finish(&after);
    close_cache();
}
END_TEST

static json_t *predict(const char *id)
{
    char path[64];
    snprintf(path, sizeof path, "/models/%s/predict", id);
    return http_post(&server, path,
                     json_pack("{s:[[i,i]], s:s}", "in_spikes", 1, 2, "ret_type", "v_max"));
}

START_TEST(a_server_without_room_for_models_answers_the_same)
{
    json_t *kept[MODELS];
    for (int i = 0; i < MODELS; i++) {
        create_model(&server, json_pack("{s:s, s:i, s:i, s:i, s:i}", "id", ids[i], "in_features", 2,
                                        "out_features", 1000, "T", 20, "seed", i));
        kept[i] = predict(ids[i]);
    }
    service_stop(&server);
    server.flags[0] = "--model-cache";
    server.flags[1] = "1K";
    service_restart(&server);
    for (int i = 0; i < 2 * MODELS; i++) {
        json_t *answer = predict(ids[i % MODELS]);
        ck_assert(json_equal(answer, kept[i % MODELS]));
        ck_assert(!json_equal(answer, kept[(i + 1) % MODELS]));
        json_decref(answer);
    }
    for (int i = 0; i < MODELS; i++)
        json_decref(kept[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("model cache");
    TCase *tests = fixture_case(suite, "model cache", NULL);
    tcase_add_test(tests, the_models_used_least_recently_leave);
    tcase_add_test(tests, only_what_is_in_memory_is_there_at_once);
    tcase_add_test(tests, a_budget_that_fits_exactly_keeps_all);
    tcase_add_test(tests, a_model_larger_than_the_budget_is_served_and_not_kept);
    tcase_add_test(tests, a_model_that_left_is_loaded_as_it_was);
    tcase_add_test(tests, a_server_without_room_for_models_answers_the_same);
    return suite_run(suite);
}
