#include "tests/support/writing.h"

#include <check.h>
#include <string.h>

void expect_written(struct buffer *text, const char *expected)
{
    ck_assert(!text->failed);
    ck_assert_msg(text->size == strlen(expected) && memcmp(text->bytes, expected, text->size) == 0,
                  "%.*s, not %s", (int)text->size, text->bytes, expected);
    buffer_finish(text);
}
