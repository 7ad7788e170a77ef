/* Tables of parameters: what is read, what is written, and what is refused. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/json/params.h"
#include "tests/support/suite.h"

enum kind { ROUND, SQUARE };
static const char *const kinds[] = {[ROUND] = "round", [SQUARE] = "square", NULL};

struct shape {
    enum kind kind;
    size_t count;
    double radius; /* of round */
    float side;    /* of square */
    uint32_t seed;
    bool is_filled;
    size_t corners; /* of what is filled and square */
    double extra;   /* by functions of its own */
};

static const struct params_scope round_shapes = {
    .name = "round shapes", PARAMS_CHOSEN(offsetof(struct shape, kind), ROUND)};
static const struct params_scope square_shapes = {
    .name = "square shapes", PARAMS_CHOSEN(offsetof(struct shape, kind), SQUARE)};
static const struct params_scope corners = {.name = "corners",
                                            .kind = PARAMS_BOOLEAN,
                                            .min = true,
                                            .max = true,
                                            .within = &square_shapes,
                                            .is_of_context = true}; /* which is a bool */

static void read_extra(struct fields *fields, const struct params_row *row, void *params)
{
    fields_number(fields, row->name, FIELD_OPTIONAL, row->min, row->max, false,
                  &((struct shape *)params)->extra);
}

static void write_extra(struct buffer *json, const void *params)
{
    if (((const struct shape *)params)->extra != 0)
        json_write_member_double(json, "extra", ((const struct shape *)params)->extra);
}

static const struct params_row rows[] = {
    {"count", PARAMS_SIZE, offsetof(struct shape, count), 1, 9, .is_required = true,
     .fallback = NAN},
    {"radius", PARAMS_NUMBER, offsetof(struct shape, radius), 0, 5, .is_above_min = true,
     .fallback = 1.5, .scope = &round_shapes, .allows_default = true},
    {"side", PARAMS_FLOAT, offsetof(struct shape, side), 0, 5, .fallback = NAN,
     .scope = &square_shapes},
    {"kind", PARAMS_CHOICE, offsetof(struct shape, kind), .choices = kinds, .fallback = ROUND},
    {"seed", PARAMS_UINT32, offsetof(struct shape, seed), 0, UINT32_MAX, .fallback = 7},
    {"is_filled", PARAMS_BOOLEAN, offsetof(struct shape, is_filled), .fallback = false,
     .is_terse = true},
    {"corners", PARAMS_SIZE, offsetof(struct shape, corners), 1, 9, .fallback = 4,
     .scope = &corners},
    {"extra", PARAMS_OTHER, .min = 1, .max = 2, .read = read_extra, .write = write_extra},
};
enum { ROWS = sizeof rows / sizeof *rows };

/* Reads a text on top of what the shape is already. */
static void read_shape(const char *text, bool allowed, struct shape *shape, struct problem *problem)
{
    struct fields fields;
    *problem = (struct problem){0};
    struct document *document = document_read(text, strlen(text), NULL, problem);
    ck_assert_msg(document != NULL, "%s", text);
    fields_open_document(&fields, document, problem);
    params_read(&fields, rows, ROWS, &allowed, shape);
    fields_close(&fields);
    document_destroy(document);
}

static void expect_written(const struct shape *shape, bool allowed, const char *expected)
{
    struct buffer buffer = {0};
    json_write_object_begin(&buffer);
    params_write(&buffer, rows, ROWS, &allowed, shape);
    json_write_object_end(&buffer);
    char *text = buffer_take_string(&buffer);
    ck_assert_str_eq(text, expected);
    free(text);
}

static void expect_problem(const char *text, enum problem_code code, const char *pointer,
                           const char *detail)
{
    struct shape shape = {0};
    struct problem problem;
    read_shape(text, false, &shape, &problem);
    ck_assert_msg(problem.field_count == 1, "%s: %u", text, problem.field_count);
    ck_assert_str_eq(problem_name(problem.fields[0].code), problem_name(code));
    ck_assert_str_eq(problem.fields[0].pointer, pointer);
    ck_assert_str_eq(problem.fields[0].detail, detail);
}

START_TEST(absent_fields_have_their_defaults)
{
    struct shape shape = {0};
    struct problem problem;
    read_shape("{\"count\": 2}", true, &shape, &problem);
    ck_assert(!problem_is_set(&problem));
    ck_assert(shape.count == 2 && shape.radius == 1.5 && shape.kind == ROUND && shape.seed == 7);
    ck_assert(!shape.is_filled && shape.side == 0 && shape.corners == 0 && shape.extra == 0);
    expect_written(&shape, true, "{\"count\":2,\"radius\":1.5,\"kind\":\"round\",\"seed\":7}");
}
END_TEST

START_TEST(given_fields_are_read_and_written)
{
    struct shape shape = {0};
    struct problem problem;
    read_shape("{\"kind\": \"square\", \"side\": 0.1, \"count\": 9.0, \"seed\": 4294967295, "
               "\"is_filled\": true, \"corners\": 3, \"extra\": 2, \"radius\": null}",
               true, &shape, &problem);
    ck_assert_msg(!problem_is_set(&problem), "%s", problem.detail);
    ck_assert(shape.side == 0.1f && shape.seed == UINT32_MAX && shape.corners == 3);
    expect_written(&shape, true,
                   "{\"count\":9,\"side\":0.1,\"kind\":\"square\",\"seed\":4294967295,"
                   "\"is_filled\":true,\"corners\":3,\"extra\":2}");
    expect_written(&shape, false,
                   "{\"count\":9,\"side\":0.1,\"kind\":\"square\",\"seed\":4294967295,"
                   "\"is_filled\":true,\"extra\":2}");
}
END_TEST

/* Also the choice that scopes depend on. */
START_TEST(members_that_are_set_are_defaults)
{
    struct shape shape = {.kind = SQUARE, .count = 5, .side = 2, .seed = 1};
    struct problem problem;
    read_shape("{}", true, &shape, &problem);
    ck_assert(!problem_is_set(&problem));
    ck_assert(shape.kind == SQUARE && shape.count == 5 && shape.side == 2 && shape.seed == 1);
    ck_assert(shape.radius == 0 && shape.corners == 4);
    read_shape("{\"kind\": \"round\", \"seed\": 0}", true, &shape, &problem);
    ck_assert(shape.kind == ROUND && shape.seed == 0 && shape.radius == 1.5);
}
END_TEST

START_TEST(wrong_fields_are_named)
{
    expect_problem("{}", PROBLEM_MISSING_FIELD, "/count", "is required");
    expect_problem("{\"count\": 10}", PROBLEM_OUT_OF_RANGE, "/count", "must be from 1 to 9");
    expect_problem("{\"count\": 1, \"radius\": 0}", PROBLEM_OUT_OF_RANGE, "/radius",
                   "must be above 0 and at most 5");
    expect_problem("{\"count\": 1, \"kind\": \"oval\"}", PROBLEM_UNKNOWN_VALUE, "/kind",
                   "must be one of round, square");
    expect_problem("{\"count\": 1, \"is_filled\": 1}", PROBLEM_WRONG_TYPE, "/is_filled",
                   "must be true or false");
    expect_problem("{\"count\": 1, \"extra\": 3}", PROBLEM_OUT_OF_RANGE, "/extra",
                   "must be at least 1 and at most 2");
    expect_problem("{\"count\": 1, \"size\": 3}", PROBLEM_UNKNOWN_FIELD, "/size",
                   "is not a known field");
}
END_TEST

START_TEST(fields_out_of_scope_are_named_once)
{
    expect_problem("{\"count\": 1, \"side\": 1}", PROBLEM_CONFLICTING_FIELDS, "/side",
                   "applies only to square shapes");
    expect_problem("{\"count\": 1, \"side\": 6}", PROBLEM_OUT_OF_RANGE, "/side",
                   "must be at least 0 and at most 5");
    /* the widest scope is the obstacle */
    expect_problem("{\"count\": 1, \"corners\": 1}", PROBLEM_CONFLICTING_FIELDS, "/corners",
                   "applies only to square shapes");
    expect_problem("{\"count\": 1, \"kind\": \"square\", \"corners\": 1}",
                   PROBLEM_CONFLICTING_FIELDS, "/corners", "applies only to corners");
    expect_problem("{\"count\": 1, \"kind\": \"square\", \"radius\": 2}",
                   PROBLEM_CONFLICTING_FIELDS, "/radius", "applies only to round shapes");
}
END_TEST

START_TEST(a_default_may_be_given_out_of_scope)
{
    struct shape shape = {0};
    struct problem problem;
    read_shape("{\"count\": 1, \"kind\": \"square\", \"radius\": 1.5}", true, &shape, &problem);
    ck_assert(!problem_is_set(&problem));
    ck_assert(shape.radius == 0);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("params");
    tcase_add_test(tests, absent_fields_have_their_defaults);
    tcase_add_test(tests, given_fields_are_read_and_written);
    tcase_add_test(tests, members_that_are_set_are_defaults);
    tcase_add_test(tests, wrong_fields_are_named);
    tcase_add_test(tests, fields_out_of_scope_are_named_once);
    tcase_add_test(tests, a_default_may_be_given_out_of_scope);
    Suite *suite = suite_create("params");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
