/* yaml_json.h - reads YAML as JSON. */
#ifndef TESTS_SUPPORT_YAML_JSON_H
#define TESTS_SUPPORT_YAML_JSON_H

#include <stddef.h>

#include <jansson.h>

/* The document's value, typed by YAML 1.2's core schema; json_decref(). Where the
 * text is no YAML it says why and exits: tests may depend on it before any runs. */
json_t *yaml_load(const char *text, size_t size);

#endif
