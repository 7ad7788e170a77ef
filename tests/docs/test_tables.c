/* The tables of fields in docs/ against the contract: a row for each field, no row for anything
 * else, and in each row the contract's default and bounds.
 *
 * A row is "| `name`, ... | default | bounds | meaning |". Rows of other tables count only as a
 * place where a field is named. */
#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/contract.h"
#include "tests/support/suite.h"

enum { CELLS = 4, ROWS_MAX = 64, SCHEMAS = 3 };

static const struct page {
    const char *path;
    const char *schemas[SCHEMAS + 1]; /* NULL-terminated */
} pages[] = {
    {"docs/models.md", {"NewModel", "GaussianTuning", "Latency", NULL}},
    {"docs/training.md", {"TrainRequest", NULL}},
    {"docs/predictions.md", {"PredictRequest", NULL}},
};

struct row {
    char *line;        /* owned; cut into the cells */
    char *cell[CELLS]; /* NULL: the row has fewer */
    bool has_bounds;   /* it is in a table of fields */
};

struct table {
    size_t count;
    struct row rows[ROWS_MAX];
};

/* --- the page --- */

/* Cuts "| a | b |" into its cells. False: the line is not a row. */
static bool cut_row(char *line, struct row *row)
{
    char *end;
    size_t count = 0;
    if (strncmp(line, "| ", 2) != 0)
        return false;
    for (char *at = line + 2; count < CELLS && (end = strstr(at, " |")) != NULL; at = end + 2) {
        *end = '\0';
        row->cell[count++] = at + strspn(at, " ");
    }
    row->line = line;
    return true;
}

static bool is_separator(const char *line)
{
    return strncmp(line, "|--", 3) == 0;
}

static void read_table(const char *path, struct table *table)
{
    char *line = NULL;
    size_t size = 0;
    bool has_bounds = false;
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s can't be opened", path);
    while (getline(&line, &size, file) > 0) {
        struct row row = {0};
        if (is_separator(line) && table->count > 0) {
            struct row *header = &table->rows[table->count - 1];
            has_bounds = header->cell[2] != NULL && strcmp(header->cell[2], "bounds") == 0;
            header->has_bounds = false;
        } else if (cut_row(line, &row)) {
            ck_assert_uint_lt(table->count, ROWS_MAX);
            row.has_bounds = has_bounds;
            table->rows[table->count++] = row;
            line = NULL;
            size = 0;
        }
    }
    free(line);
    fclose(file);
}

static void table_finish(struct table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->rows[i].line);
}

/* hidden_0 to hidden_7 share a row. */
static const struct row *find_row(const struct table *table, const char *name)
{
    char quoted[CONTRACT_NAME];
    const bool is_layer = strncmp(name, "hidden_", 7) == 0 && isdigit((unsigned char)name[7]);
    snprintf(quoted, sizeof quoted, "`%s`", is_layer ? "hidden_0" : name);
    for (size_t i = 0; i < table->count; i++)
        if (strstr(table->rows[i].cell[0], quoted) != NULL)
            return &table->rows[i];
    return NULL;
}

/* --- a field --- */

static void check_default(const char *path, const char *name, const struct row *row,
                          const json_t *schema)
{
    char text[CONTRACT_NAME];
    const json_t *value = contract_at(schema, "default");
    if (json_is_string(value) && json_string_length(value) == 0)
        snprintf(text, sizeof text, "empty");
    else if (json_is_string(value))
        snprintf(text, sizeof text, "`%s`", json_string_value(value));
    else if (json_is_boolean(value))
        snprintf(text, sizeof text, "%s", json_is_true(value) ? "true" : "false");
    else if (json_is_number(value) && strtod(row->cell[1], NULL) == json_number_value(value))
        return; /* 0.00001 is 1e-05 */
    else if (json_is_number(value))
        snprintf(text, sizeof text, "%.15g", json_number_value(value));
    else
        return;
    ck_assert_msg(strcmp(row->cell[1], text) == 0, "%s: the default of %s is %s, not %s", path,
                  name, text, row->cell[1]);
}

/* The next number of a cell, which moves on; fails if there is none. */
static double next_number(const char *path, const char *name, const char **cell)
{
    char *end;
    const char *at = *cell;
    while (*at != '\0' && !isdigit((unsigned char)*at) && !(*at == '-' && isdigit(at[1])))
        at++;
    const double number = strtod(at, &end);
    ck_assert_msg(end != at, "%s: %s has no bounds", path, name);
    *cell = end;
    return number;
}

static void check_bounds(const char *path, const char *name, const struct row *row,
                         const json_t *schema)
{
    const char *cell = row->cell[2];
    const json_t *above = contract_at(schema, "exclusiveMinimum");
    const json_t *min = above != NULL ? above : contract_at(schema, "minimum");
    const json_t *max = contract_at(schema, "maximum");
    const json_t *length = contract_at(schema, "maxLength");
    if (above != NULL)
        ck_assert_msg(strncmp(cell, "above ", 6) == 0, "%s: %s is above its bound", path, name);
    if (min != NULL && max != NULL) {
        ck_assert_msg(next_number(path, name, &cell) == json_number_value(min),
                      "%s: the minimum of %s is %.15g", path, name, json_number_value(min));
        ck_assert_msg(next_number(path, name, &cell) == json_number_value(max),
                      "%s: the maximum of %s is %.15g", path, name, json_number_value(max));
    }
    if (length != NULL)
        ck_assert_msg(next_number(path, name, &cell) == json_number_value(length),
                      "%s: %s has at most %.15g bytes", path, name, json_number_value(length));
}

static void check_choices(const char *path, const char *name, const struct row *row,
                          const json_t *schema)
{
    size_t index;
    json_t *choice;
    char quoted[CONTRACT_NAME];
    json_array_foreach((json_t *)contract_at(schema, "enum"), index, choice) {
        snprintf(quoted, sizeof quoted, "`%s`", json_string_value(choice));
        ck_assert_msg(strstr(row->cell[2], quoted) != NULL, "%s: %s may be %s", path, name, quoted);
    }
}

static bool is_required(const json_t *schema, const char *name)
{
    size_t index;
    json_t *item;
    json_array_foreach((json_t *)contract_at(schema, "required"), index, item)
        if (strcmp(json_string_value(item), name) == 0)
            return true;
    return false;
}

/* --- a page --- */

static const json_t *find_schema(const char *name)
{
    const json_t *components = contract_at(contract.document, "components");
    const json_t *schema = contract_at(contract_at(components, "schemas"), name);
    ck_assert_msg(schema != NULL, "the contract has no schema %s", name);
    return schema;
}

static void check_schema(const char *path, const struct table *table, const json_t *schema)
{
    const char *name;
    json_t *property;
    ck_assert_uint_gt(json_object_size(contract_at(schema, "properties")), 0);
    json_object_foreach((json_t *)contract_at(schema, "properties"), name, property) {
        const json_t *field = contract_resolve(property);
        const struct row *row = find_row(table, name);
        ck_assert_msg(row != NULL, "%s has no row for %s", path, name);
        if (!row->has_bounds)
            continue;
        if (is_required(schema, name))
            ck_assert_msg(strcmp(row->cell[1], "required") == 0, "%s: %s is required", path, name);
        check_default(path, name, row, field);
        check_bounds(path, name, row, field);
        check_choices(path, name, row, field);
    }
}

static bool has_field(const struct page *page, const char *name)
{
    for (size_t i = 0; page->schemas[i] != NULL; i++)
        if (contract_at(contract_at(find_schema(page->schemas[i]), "properties"), name) != NULL)
            return true;
    return false;
}

START_TEST(fields_have_rows)
{
    struct table table = {0};
    const struct page *page = &pages[_i];
    read_table(page->path, &table);
    for (size_t i = 0; page->schemas[i] != NULL; i++)
        check_schema(page->path, &table, find_schema(page->schemas[i]));
    table_finish(&table);
}
END_TEST

START_TEST(rows_are_of_fields)
{
    char name[CONTRACT_NAME];
    struct table table = {0};
    const struct page *page = &pages[_i];
    read_table(page->path, &table);
    for (size_t i = 0; i < table.count; i++) {
        const char *rest = table.rows[i].cell[0];
        for (; table.rows[i].has_bounds && (rest = strchr(rest, '`')) != NULL;
             rest = strchr(rest + 1, '`') + 1) {
            ck_assert_int_eq(sscanf(rest, "`%95[^`]`", name), 1);
            ck_assert_msg(has_field(page, name), "%s: there is no field %s", page->path, name);
        }
    }
    table_finish(&table);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tables");
    TCase *tests = suite_case(suite, "tables", NULL, NULL, 10);
    contract_read();
    tcase_add_loop_test(tests, fields_have_rows, 0, ROWS(pages));
    tcase_add_loop_test(tests, rows_are_of_fields, 0, ROWS(pages));
    const int status = suite_run(suite);
    contract_finish();
    return status;
}
