/* contract.h - the contract, openapi.yaml, as JSON, and the exchanges that its examples make.
 *
 * An exchange is one request and its answer. The answer is an example of a response; the request is
 * the example's own x-request, or else the request's example of the same name. The contract's
 * description explains the extensions. */
#ifndef TESTS_SUPPORT_CONTRACT_H
#define TESTS_SUPPORT_CONTRACT_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

enum { CONTRACT_EXCHANGES = 256, CONTRACT_NAME = 96 };

struct exchange {
    char name[CONTRACT_NAME]; /* "operationId/example" */
    const char *path;
    const char *method;
    long status;
    const char *type;   /* of the answer's body; NULL: it has none */
    const json_t *item; /* of the path */
    const json_t *operation;
    const json_t *response;
    const json_t *request;    /* an example, or x-request; NULL: there is no body */
    const char *request_type; /* of its body; NULL without one */
    const json_t *answer;     /* the example */
};

struct contract {
    char *text;
    size_t size;
    json_t *document;
    struct exchange exchanges[CONTRACT_EXCHANGES];
    int count;
};

/* Read by contract_read() before the tests run: a loop test must know the count. */
extern struct contract contract;

/* Exits with a message if the file or an example is not what it must be. */
void contract_read(void);
void contract_finish(void);

/* A member of an object, or NULL; its text, or NULL. */
const json_t *contract_at(const json_t *value, const char *key);
const char *contract_text(const json_t *value, const char *key);

/* The component that a $ref names, or the value itself. */
const json_t *contract_resolve(const json_t *value);

/* "GET" for the key "get" of a path's item; NULL: the key is not a method. */
const char *contract_method(const char *key);

void contract_each_operation(void (*visit)(const char *path, const char *method, const json_t *item,
                                           const json_t *operation));

/* The types of the request's body, or NULL. */
const json_t *contract_request_content(const json_t *operation);

/* The parameter of this name of an operation or of a path's item, or NULL. */
const json_t *contract_parameter(const json_t *owner, const char *name);

/* Where a parameter goes: "query", "header" or "path". */
bool contract_is_in(const json_t *parameter, const char *place);

/* The exchange "operationId/example"; fails the test if there is none. */
const struct exchange *contract_exchange(const char *name);

#endif
