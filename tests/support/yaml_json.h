/* yaml_json.h - reads YAML as JSON. */
#ifndef TESTS_SUPPORT_YAML_JSON_H
#define TESTS_SUPPORT_YAML_JSON_H

#include <stddef.h>

#include <jansson.h>

/* The document's value, typed by the core schema of YAML 1.2; json_decref(). If the text is not
 * YAML, it prints why and exits, so that it can be called before the tests run. */
json_t *yaml_load(const char *text, size_t size);

#endif
