/* The growing buffer: what it keeps, what it hands over, and what a failed allocation leaves. */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/buffer.h"
#include "tests/support/suite.h"

START_TEST(what_is_added_in_pieces_is_kept_in_order)
{
    enum { PIECES = 20000 };
    struct buffer buffer = {0};
    for (uint32_t i = 0; i < PIECES; i++)
        buffer_add(&buffer, &i, i % 3 == 0 ? sizeof i : 0);
    ck_assert(!buffer.failed);
    ck_assert_uint_eq(buffer.size, (PIECES + 2) / 3 * sizeof(uint32_t));
    const uint32_t *items = buffer.items;
    for (uint32_t i = 0; i < (PIECES + 2) / 3; i++)
        ck_assert_uint_eq(items[i], 3 * i);
    buffer_finish(&buffer);
    ck_assert_ptr_null(buffer.bytes);
    ck_assert_uint_eq(buffer.size + buffer.capacity, 0);
}
END_TEST

START_TEST(room_is_made_for_what_is_written_in_place)
{
    struct buffer buffer = {0};
    buffer_add(&buffer, "ab", 2);
    ck_assert(buffer_resize(&buffer, 5));
    ck_assert_uint_eq(buffer.capacity, 5);
    char *added = buffer_extend(&buffer, 3);
    ck_assert_ptr_eq(added, buffer.bytes + 2);
    memcpy(added, "cde", 3);
    ck_assert_uint_eq(buffer.capacity, 5);
    char *text = buffer_take_string(&buffer);
    ck_assert_str_eq(text, "abcde");
    ck_assert_ptr_null(buffer.bytes);
    free(text);
}
END_TEST

START_TEST(an_empty_buffer_is_an_empty_string_or_nothing)
{
    struct buffer buffer = {0};
    ck_assert_ptr_null(buffer_take(&buffer));
    char *text = buffer_take_string(&buffer);
    ck_assert_str_eq(text, "");
    free(text);
}
END_TEST

/* Sizes that no machine has stand for an allocation that fails. */
START_TEST(after_a_failure_nothing_is_added_and_nothing_is_handed_over)
{
    static const size_t impossible[] = {SIZE_MAX, SIZE_MAX / 2, PTRDIFF_MAX};
    for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++) {
        struct buffer buffer = {0};
        buffer_add(&buffer, "whole", 5);
        ck_assert_ptr_null(buffer_extend(&buffer, impossible[i]));
        ck_assert(buffer.failed);
        buffer_add(&buffer, "x", 1);
        ck_assert(!buffer_reserve(&buffer, 1));
        ck_assert(!buffer_resize(&buffer, 100));
        ck_assert_uint_eq(buffer.size, 5);
        ck_assert_int_eq(memcmp(buffer.bytes, "whole", 5), 0);
        ck_assert_ptr_null(i % 2 == 0 ? buffer_take(&buffer) : buffer_take_string(&buffer));
        ck_assert(!buffer.failed);
        buffer_add(&buffer, "again", 5);
        ck_assert_uint_eq(buffer.size, 5);
        buffer_finish(&buffer);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("buffer");
    TCase *tests = tcase_create("buffer");
    tcase_add_test(tests, what_is_added_in_pieces_is_kept_in_order);
    tcase_add_test(tests, room_is_made_for_what_is_written_in_place);
    tcase_add_test(tests, an_empty_buffer_is_an_empty_string_or_nothing);
    tcase_add_test(tests, after_a_failure_nothing_is_added_and_nothing_is_handed_over);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
