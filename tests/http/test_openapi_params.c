/* The contract's parameters of a run and of a model: their names, kinds, bounds, defaults and
 * choices are those of the tables that read them. */
#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "server/compute/run_params.h"
#include "server/model/config_json.h"
#include "server/model/encoder_json.h"
#include "tests/support/contract.h"
#include "tests/support/suite.h"

static const json_t *properties_of(const char *schema)
{
    const json_t *schemas = contract_at(contract_at(contract.document, "components"), "schemas");
    return contract_at(contract_at(schemas, schema), "properties");
}

static bool is_number(const json_t *schema, const char *key, double expected)
{
    const json_t *value = contract_at(schema, key);
    return json_is_number(value) && json_number_value(value) == expected;
}

static const char *type_of(enum params_kind kind)
{
    switch (kind) {
    case PARAMS_SIZE:
    case PARAMS_UINT32:
        return "integer";
    case PARAMS_NUMBER:
    case PARAMS_FLOAT:
        return "number";
    case PARAMS_CHOICE:
        return "string";
    case PARAMS_BOOLEAN:
        return "boolean";
    case PARAMS_OTHER:
        break;
    }
    return NULL;
}

static bool has_limits(const struct params_row *row)
{
    return row->min < row->max;
}

static bool has_bounds(const struct params_row *row)
{
    return row->kind != PARAMS_CHOICE && row->kind != PARAMS_BOOLEAN;
}

static void check_bounds(const struct params_row *row, const json_t *schema)
{
    const char *lower = row->is_above_min ? "exclusiveMinimum" : "minimum";
    ck_assert_msg(is_number(schema, lower, row->min), "%s: %s", row->name, lower);
    ck_assert_msg(is_number(schema, "maximum", row->max), "%s: maximum", row->name);
}

static void check_choices(const struct params_row *row, const json_t *schema)
{
    size_t count = 0;
    const json_t *names = contract_at(schema, "enum");
    for (; row->choices[count] != NULL; count++)
        ck_assert_str_eq(row->choices[count], json_string_value(json_array_get(names, count)));
    ck_assert_msg(json_array_size(names) == count, "%s has %zu choices", row->name, count);
}

static bool is_default(const struct params_row *row, const json_t *value)
{
    switch (row->kind) {
    case PARAMS_CHOICE:
        return value != NULL &&
               strcmp(json_string_value(value), row->choices[(size_t)row->fallback]) == 0;
    case PARAMS_BOOLEAN:
        return json_is_boolean(value) && json_is_true(value) == (row->fallback != 0);
    default:
        return json_is_number(value) && json_number_value(value) == row->fallback;
    }
}

/* A default that other fields decide, or that is no value of the field (it means none), is told in
 * words. */
static void check_default(const struct params_row *row, const json_t *schema)
{
    const json_t *value = contract_at(schema, "default");
    const bool is_outside = has_bounds(row) && (row->fallback < row->min ||
                                                (row->is_above_min && row->fallback == row->min));
    if (isnan(row->fallback) || is_outside)
        ck_assert_msg(value == NULL, "%s has no default", row->name);
    else
        ck_assert_msg(is_default(row, value), "%s: default", row->name);
}

/* The description has the last word of the scope's name, e.g. of "the loss margin". The read-out
 * v_max is that of most models. */
static void check_scope(const struct params_row *row, const json_t *schema)
{
    if (row->scope == NULL)
        return;
    const char *word = strrchr(row->scope->name, ' ') + 1;
    if (strcmp(word, "v_max") == 0)
        return;
    const char *description = contract_text(schema, "description");
    ck_assert_msg(description != NULL && strstr(description, word) != NULL, "%s: %s", row->name,
                  row->scope->name);
}

static void check_row(const struct params_row *row, const json_t *properties)
{
    const json_t *schema = contract_resolve(contract_at(properties, row->name));
    ck_assert_msg(schema != NULL, "%s is not there", row->name);
    if (row->kind == PARAMS_OTHER && has_limits(row))
        check_bounds(row, contract_at(schema, "items"));
    if (row->kind == PARAMS_OTHER)
        return;
    ck_assert_str_eq(contract_text(schema, "type"), type_of(row->kind));
    if (has_bounds(row))
        check_bounds(row, schema);
    if (row->kind == PARAMS_CHOICE)
        check_choices(row, schema);
    check_default(row, schema);
    check_scope(row, schema);
}

static bool is_among(const char *const *names, const char *name)
{
    for (size_t i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* Every row is a property, and every property a row, or one of `others`. */
static void check_table(const struct params_row *rows, size_t count, const json_t *properties,
                        const char *const *others)
{
    const char *name;
    json_t *property;
    size_t others_count = 0;
    for (size_t i = 0; i < count; i++)
        check_row(&rows[i], properties);
    json_object_foreach((json_t *)properties, name, property) {
        bool is_row = false;
        for (size_t i = 0; i < count; i++)
            is_row |= strcmp(rows[i].name, name) == 0;
        ck_assert_msg(is_row || is_among(others, name), "no row reads %s", name);
    }
    while (others[others_count] != NULL)
        others_count++;
    ck_assert_uint_eq(json_object_size(properties), count + others_count);
}

START_TEST(run_has_the_parameters_of_the_contract)
{
    const char *const samples[] = {"x",     "in_spikes",  "dataset", "label",
                                   "count", "validation", NULL};
    check_table(run_params_rows, run_params_count, properties_of("TrainRequest"), samples);
}
END_TEST

START_TEST(augmentation_has_the_parameters_of_the_contract)
{
    const json_t *augment = contract_resolve(contract_at(properties_of("TrainRequest"), "augment"));
    check_table(run_params_augment_rows, AUGMENT_PARAMS, contract_at(augment, "properties"),
                (const char *[]){NULL});
    ck_assert_uint_eq(json_array_size(contract_at(augment, "required")), AUGMENT_PARAMS);
}
END_TEST

START_TEST(model_has_the_parameters_of_the_contract)
{
    const char *const others[] = {"id",       "description", "labels",     "weight",
                                  "hidden_0", "hidden_1",    "hidden_2",   "hidden_3",
                                  "hidden_4", "hidden_5",    "hidden_6",   "hidden_7",
                                  "version",  "created_at",  "updated_at", NULL};
    const json_t *properties = properties_of("NewModel");
    check_table(config_json_rows, CONFIG_PARAMS, properties, others);
    ck_assert(
        is_number(contract_resolve(contract_at(properties, "hidden")), "maxItems", HIDDEN_LAYERS));
}
END_TEST

START_TEST(encoders_have_the_parameters_of_the_contract)
{
    const json_t *gaussian = properties_of("GaussianTuning"), *latency = properties_of("Latency");
    const char *const others[] = {"type",         "n", "x_min", "x_max", "max_spike_time",
                                  "out_of_range", NULL};
    check_table(encoder_json_gaussian_tuning_rows, GAUSSIAN_TUNING_PARAMS, gaussian, others);
    check_table(encoder_json_latency_rows, LATENCY_PARAMS, latency, others);
    for (size_t i = 0; i < ENCODER_PARAMS; i++) {
        check_row(&encoder_json_rows[i], gaussian);
        check_row(&encoder_json_rows[i], latency);
    }
}
END_TEST

/* The loss of an evaluation is read by the same rows. */
START_TEST(evaluation_has_the_loss_of_the_contract)
{
    const json_t *evaluated = properties_of("EvaluateRequest");
    const json_t *trained = properties_of("TrainRequest");
    const char *const names[] = {"loss", "beta", "margin_target", "margin_other"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_ptr_eq(contract_resolve(contract_at(evaluated, names[i])),
                         contract_resolve(contract_at(trained, names[i])));
}
END_TEST

int main(void)
{
    contract_read();
    TCase *tests = tcase_create("parameters");
    tcase_add_test(tests, run_has_the_parameters_of_the_contract);
    tcase_add_test(tests, augmentation_has_the_parameters_of_the_contract);
    tcase_add_test(tests, model_has_the_parameters_of_the_contract);
    tcase_add_test(tests, encoders_have_the_parameters_of_the_contract);
    tcase_add_test(tests, evaluation_has_the_loss_of_the_contract);
    Suite *suite = suite_create("openapi_params");
    suite_add_tcase(suite, tests);
    const int status = suite_run(suite);
    contract_finish();
    return status;
}
