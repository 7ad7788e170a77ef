/* example_bytes.h - the bytes that an example's value stands for. */
#ifndef TESTS_SUPPORT_EXAMPLE_BYTES_H
#define TESTS_SUPPORT_EXAMPLE_BYTES_H

#include <jansson.h>

#include "tests/support/files.h"

/* The body of this media type: JSON as JSON, text/csv as it is, and any other type from the text
 * numpy.array([[1, 2]], '<f4'), which makes an .npy file, or from base64. `name` is the example's,
 * for messages. */
struct bytes example_bytes(const char *name, const char *type, const json_t *value);

#endif
