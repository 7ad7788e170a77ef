/* The contract as a document: its parts make it, its operations are complete, and its problem
 * codes are those of the server. */
#include <check.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/problem.h"
#include "tests/support/contract.h"
#include "tests/support/files.h"
#include "tests/support/suite.h"

/* --- the parts --- */

static struct bytes read_file(const char *path)
{
    char buffer[4096];
    struct bytes bytes = {0};
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s can't be opened", path);
    for (size_t size; (size = fread(buffer, 1, sizeof buffer, file)) > 0;)
        bytes_add(&bytes, buffer, size);
    fclose(file);
    return bytes;
}

/* An edit of only one of the two, the parts or the document, is found here. */
START_TEST(parts_make_the_document)
{
    glob_t parts;
    size_t joined = 0;
    ck_assert_int_eq(glob("openapi/*.yaml", 0, NULL, &parts), 0);
    for (size_t i = 0; i < parts.gl_pathc; i++) {
        struct bytes part = read_file(parts.gl_pathv[i]);
        ck_assert_msg(part.size <= contract.size - joined &&
                          memcmp(contract.text + joined, part.at, part.size) == 0,
                      "%s is not what openapi.yaml holds: edit the part, then run make openapi",
                      parts.gl_pathv[i]);
        joined += part.size;
        bytes_finish(&part);
    }
    ck_assert_uint_eq(joined, contract.size);
    globfree(&parts);
}
END_TEST

START_TEST(the_document_has_the_version_of_the_program)
{
    const json_t *info = contract_at(contract.document, "info");
    ck_assert_str_eq(contract_text(info, "version"), TEMPOTROND_VERSION);
}
END_TEST

/* --- operations --- */

static bool is_tag(const char *name)
{
    size_t index;
    json_t *tag;
    json_array_foreach((json_t *)contract_at(contract.document, "tags"), index, tag)
        if (strcmp(contract_text(tag, "name"), name) == 0)
            return true;
    return false;
}

static json_t *operation_ids; /* an object: its keys are those seen so far */

static void check_operation(const char *path, const char *method, const json_t *item,
                            const json_t *operation)
{
    (void)item;
    const char *status, *id = contract_text(operation, "operationId");
    json_t *response;
    bool refuses = false;
    const json_t *tags = contract_at(operation, "tags");
    ck_assert_msg(id != NULL, "%s %s has no operationId", method, path);
    ck_assert_msg(contract_at(operation_ids, id) == NULL, "%s is there twice", id);
    json_object_set_new(operation_ids, id, json_true());
    ck_assert_msg(json_array_size(tags) == 1 && is_tag(json_string_value(json_array_get(tags, 0))),
                  "%s has no tag that the document declares", id);
    ck_assert_msg(contract_text(operation, "summary") != NULL &&
                      contract_text(operation, "description") != NULL,
                  "%s has no summary or no description", id);
    json_object_foreach((json_t *)contract_at(operation, "responses"), status, response)
        refuses |= *status == '4';
    ck_assert_msg(refuses, "%s has no 4xx", id);
}

START_TEST(operations_are_complete)
{
    operation_ids = json_object();
    contract_each_operation(check_operation);
    json_decref(operation_ids);
}
END_TEST

/* Every example of a request has its answer, and every operation one that went well. */
static void check_examples(const char *path, const char *method, const json_t *item,
                           const json_t *operation)
{
    (void)item;
    char name[CONTRACT_NAME];
    const char *type, *example, *id = contract_text(operation, "operationId");
    json_t *media, *value;
    bool goes_well = false;
    json_object_foreach((json_t *)contract_request_content(operation), type, media)
        json_object_foreach(json_object_get(media, "examples"), example, value) {
            snprintf(name, sizeof name, "%s/%s", id, example);
            ck_assert_msg(contract_exchange(name)->request == value, "%s has another request",
                          name);
        }
    for (int i = 0; i < contract.count; i++)
        goes_well |=
            contract.exchanges[i].operation == operation && contract.exchanges[i].status < 300;
    ck_assert_msg(goes_well, "%s %s has no example that goes well", method, path);
}

START_TEST(operations_have_examples)
{
    contract_each_operation(check_examples);
}
END_TEST

/* --- defaults --- */

static bool says_default(const char *said, const json_t *value)
{
    char text[64];
    if (json_is_number(value))
        return strtod(said, NULL) == json_number_value(value);
    if (json_is_boolean(value))
        return strncmp(said, json_is_true(value) ? "true" : "false", 4) == 0;
    snprintf(text, sizeof text, "`%s`", json_string_value(value));
    return strncmp(said, text, strlen(text)) == 0;
}

/* A description says the default in words, since not every reader shows it. */
START_TEST(descriptions_say_the_defaults)
{
    static const char words[] = "default is ";
    const char *name;
    json_t *schema;
    const json_t *components = contract_at(contract.document, "components");
    json_object_foreach((json_t *)contract_at(components, "schemas"), name, schema) {
        const json_t *value = contract_at(schema, "default");
        if (value == NULL || (json_is_string(value) && json_string_length(value) == 0))
            continue;
        char *text = strdup(contract_text(schema, "description"));
        for (char *at = text; *at != '\0'; at++)
            *at = *at == '\n' ? ' ' : *at;
        const char *said = strstr(text, words);
        ck_assert_msg(said != NULL && says_default(said + strlen(words), value),
                      "%s has another default", name);
        free(text);
    }
}
END_TEST

/* --- problem codes --- */

enum { CODES = PROBLEM_STORE_FULL + 1 };
static bool is_documented[CODES];

static enum problem_code find_code(const char *name)
{
    for (unsigned code = PROBLEM_NONE + 1; code < CODES; code++)
        if (strcmp(problem_name((enum problem_code)code), name) == 0)
            return (enum problem_code)code;
    return PROBLEM_NONE;
}

/* The words in backticks are codes, of that status. */
static void check_description(const char *place, const char *status, const char *description)
{
    char word[64];
    for (const char *rest = description; (rest = strchr(rest, '`')) != NULL;) {
        ck_assert_msg(sscanf(rest, "`%63[^`]`", word) == 1, "%s %s", place, status);
        rest = strchr(rest + 1, '`') + 1;
        if (strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(word))
            continue;
        const enum problem_code code = find_code(word);
        ck_assert_msg(code != PROBLEM_NONE, "%s %s: there is no code %s", place, status, word);
        ck_assert_uint_eq(problem_status(code), strtoul(status, NULL, 10));
        is_documented[code] = true;
    }
}

static void check_codes(const char *path, const char *method, const json_t *item,
                        const json_t *operation)
{
    (void)method;
    (void)item;
    const char *status;
    json_t *response;
    json_object_foreach((json_t *)contract_at(operation, "responses"), status, response)
        if (*status >= '4')
            check_description(path, status,
                              contract_text(contract_resolve(response), "description"));
}

/* Two codes belong to no operation: an unknown path, and a method that a path does not answer. */
START_TEST(operations_name_every_problem)
{
    memset(is_documented, 0, sizeof is_documented);
    contract_each_operation(check_codes);
    is_documented[PROBLEM_NOT_FOUND] = true;
    is_documented[PROBLEM_METHOD_NOT_ALLOWED] = true;
    for (unsigned code = PROBLEM_NONE + 1; code < CODES; code++)
        ck_assert_msg(is_documented[code], "no operation names %s",
                      problem_name((enum problem_code)code));
}
END_TEST

/* The schema lists every code of the server and no other, each with its status and meaning. */
START_TEST(schema_lists_every_problem)
{
    char row[96];
    const json_t *components = contract_at(contract.document, "components");
    const json_t *schema = contract_at(contract_at(components, "schemas"), "ProblemCode");
    const json_t *names = contract_at(schema, "enum");
    size_t index;
    json_t *name;
    ck_assert_uint_eq(json_array_size(names), CODES - 1);
    json_array_foreach((json_t *)names, index, name) {
        const enum problem_code code = find_code(json_string_value(name));
        ck_assert_msg(code != PROBLEM_NONE, "there is no code %s", json_string_value(name));
        snprintf(row, sizeof row, "| %u | `%s` |", problem_status(code), problem_name(code));
        ck_assert_msg(strstr(contract_text(schema, "description"), row) != NULL, "no row %s", row);
    }
}
END_TEST

/* An example of a problem shows a code that its response names. */
START_TEST(problem_examples_show_named_codes)
{
    char word[64];
    for (int i = 0; i < contract.count; i++) {
        const struct exchange *exchange = &contract.exchanges[i];
        if (exchange->status < 400)
            continue;
        snprintf(word, sizeof word, "`%s`",
                 contract_text(contract_at(exchange->answer, "value"), "code"));
        ck_assert_msg(strstr(contract_text(exchange->response, "description"), word) != NULL,
                      "%s: %s is not named", exchange->name, word);
    }
}
END_TEST

int main(void)
{
    contract_read();
    Suite *suite = suite_create("openapi");
    TCase *text = tcase_create("text");
    tcase_add_test(text, parts_make_the_document);
    tcase_add_test(text, the_document_has_the_version_of_the_program);
    tcase_add_test(text, operations_are_complete);
    tcase_add_test(text, operations_have_examples);
    tcase_add_test(text, descriptions_say_the_defaults);
    tcase_add_test(text, operations_name_every_problem);
    tcase_add_test(text, schema_lists_every_problem);
    tcase_add_test(text, problem_examples_show_named_codes);
    suite_add_tcase(suite, text);
    const int status = suite_run(suite);
    contract_finish();
    return status;
}
