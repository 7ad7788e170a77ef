/* Listings of items that are long: they are abridged, and pages end by bytes. */
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/arrays.h"
#include "tests/support/ask.h"
#include "tests/support/datasets.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

enum { LISTED = 16, MANY = 17, PAGE_BYTES = 1024 * 1024, DESCRIPTION = 4000 };

static void start(void)
{
    fixture_start(NULL);
}

/* [0, 1, 2 ...] plus a number, or ["name-0", ...]. */
static json_t *numbers(int count, int more)
{
    json_t *array = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(array, json_integer(i + more));
    return array;
}

static json_t *names(int count)
{
    json_t *array = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(array, json_sprintf("name-%d", i));
    return array;
}

static void create(const char *id, json_t *encoder, int classes, json_t *labels)
{
    json_decref(http_call(&server, 201, "POST", "/models",
                          json_pack("{s:s, s:o, s:i, s:o*}", "id", id, "encoder", encoder,
                                    "out_features", classes, "labels", labels)));
}

static json_t *ranges(int features)
{
    return json_pack("{s:s, s:i, s:o, s:o}", "type", "gaussian_tuning", "m", 4, "x_min",
                     numbers(features, 0), "x_max", numbers(features, 5));
}

/* The only item of a listing. */
static json_t *listed(const char *path, const char *array)
{
    json_t *page = http_get(&server, path);
    json_t *item = json_incref(json_array_get(json_object_get(page, array), 0));
    ck_assert_ptr_nonnull(item);
    json_decref(page);
    return item;
}

static json_t *listed_model(void)
{
    return listed("/models?limit=1", "models");
}

START_TEST(a_short_model_is_listed_as_it_is)
{
    create("short", ranges(LISTED), LISTED, names(LISTED));
    expect_equal_json(listed_model(), http_get(&server, "/models/short"));
}
END_TEST

START_TEST(the_ranges_of_many_features_are_left_out)
{
    create("wide", ranges(MANY), 2, NULL);
    json_t *whole = http_get(&server, "/models/wide");
    ck_assert_uint_eq(json_array_size(json_object_get(json_object_get(whole, "encoder"), "x_min")),
                      MANY);
    json_t *encoder = json_object_get(whole, "encoder");
    json_object_del(encoder, "x_min");
    json_object_del(encoder, "x_max");
    json_object_set_new(whole, "abridged", json_true());
    expect_equal_json(listed_model(), whole);
}
END_TEST

START_TEST(the_names_of_many_classes_are_left_out)
{
    create("named",
           json_pack("{s:s, s:i, s:i, s:i}", "type", "latency", "n", 100, "x_min", 0, "x_max", 255),
           MANY, names(MANY));
    json_t *whole = http_get(&server, "/models/named");
    ck_assert_uint_eq(json_array_size(json_object_get(whole, "labels")), MANY);
    json_object_set_new(whole, "labels", json_null());
    json_object_set_new(whole, "abridged", json_true());
    expect_equal_json(listed_model(), whole);
    json_decref(http_call(&server, 200, "PATCH", "/models/named", json_pack("{s:n}", "labels")));
    expect_equal_json(listed_model(), http_get(&server, "/models/named"));
    json_decref(http_call(&server, 200, "PATCH", "/models/named",
                          json_pack("{s:o}", "labels", names(MANY))));
    json_t *again = listed_model();
    ck_assert(json_is_true(json_object_get(again, "abridged")));
    json_decref(again);
}
END_TEST

/* A run fits the encoder, and the version keeps the ranges. */
static void fit(const char *id, int features)
{
    create(id, json_pack("{s:s, s:i, s:i}", "type", "gaussian_tuning", "m", 4, "n", features), 2,
           NULL);
    json_decref(run_succeed(&server, id,
                            json_pack("{s:[o, o], s:[i, i], s:i, s:b}", "x", numbers(features, 0),
                                      numbers(features, 9), "label", 0, 1, "epochs", 1, "fit", 1)));
}

START_TEST(fitted_ranges_of_many_features_are_left_out)
{
    fit("few", LISTED);
    expect_equal_json(listed_model(), http_get(&server, "/models/few"));
    fit("many", MANY);
    json_t *item = listed_model();
    ck_assert(json_is_true(json_object_get(item, "abridged")));
    ck_assert_ptr_null(json_object_get(json_object_get(item, "encoder"), "x_min"));
    json_decref(item);
    json_t *whole = http_get(&server, "/models/many");
    ck_assert_uint_eq(json_array_size(json_object_get(json_object_get(whole, "encoder"), "x_min")),
                      MANY);
    json_decref(whole);
}
END_TEST

/* A table of one feature, whose samples have so many classes. */
static void put_table(const char *id, int classes)
{
    char path[64], *table = NULL;
    size_t size;
    FILE *stream = open_memstream(&table, &size);
    fputs("x,label\n", stream);
    for (int i = 0; i < classes; i++)
        fprintf(stream, "%d,class-%02d\n", i, i);
    fclose(stream);
    snprintf(path, sizeof path, "/datasets/%s?label=label", id);
    json_decref(put_file(&server, path, csv_of(table)));
    free(table);
}

START_TEST(a_dataset_of_many_names_is_abridged_likewise)
{
    put_table("few", LISTED);
    expect_equal_json(listed("/datasets?limit=1", "datasets"), http_get(&server, "/datasets/few"));
    put_table("many", MANY);
    json_t *whole = http_get(&server, "/datasets/many");
    ck_assert_uint_eq(json_array_size(json_object_get(whole, "labels")), MANY);
    json_object_set_new(whole, "labels", json_null());
    json_object_set_new(whole, "abridged", json_true());
    expect_equal_json(listed("/datasets?limit=1", "datasets"), whole);
}
END_TEST

/* Every item is in one page, and no page is much longer than it may be. */
START_TEST(a_page_ends_by_bytes_and_the_next_goes_on)
{
    enum { MODELS = 300 };
    char path[64] = "/models?limit=1000", description[DESCRIPTION + 1];
    int seen = 0, pages = 0;
    memset(description, 'd', DESCRIPTION);
    description[DESCRIPTION] = '\0';
    for (int i = 0; i < MODELS; i++)
        json_decref(http_call(&server, 201, "POST", "/models",
                              json_pack("{s:s, s:i, s:i, s:i}", "description", description,
                                        "in_features", 1, "out_features", 1, "T", 2)));
    for (bool more = true; more; pages++) {
        struct http_answer answer = http_send(&server, "GET", path, NULL, NULL);
        ck_assert_int_eq(answer.status, 200);
        ck_assert_uint_lt(answer.size, PAGE_BYTES + 2 * DESCRIPTION);
        seen += (int)json_array_size(json_object_get(answer.json, "models"));
        const char *next = json_string_value(json_object_get(answer.json, "next_cursor"));
        more = next != NULL;
        if (more)
            snprintf(path, sizeof path, "/models?limit=1000&cursor=%s", next);
        http_answer_finish(&answer);
    }
    ck_assert_int_eq(seen, MODELS);
    ck_assert_int_eq(pages, 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("listings");
    TCase *tests = fixture_case(suite, "listings", start);
    tcase_add_test(tests, a_short_model_is_listed_as_it_is);
    tcase_add_test(tests, the_ranges_of_many_features_are_left_out);
    tcase_add_test(tests, the_names_of_many_classes_are_left_out);
    tcase_add_test(tests, fitted_ranges_of_many_features_are_left_out);
    tcase_add_test(tests, a_dataset_of_many_names_is_abridged_likewise);
    tcase_add_test(tests, a_page_ends_by_bytes_and_the_next_goes_on);
    return suite_run(suite);
}
