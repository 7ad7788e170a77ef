/* Arrays of an arena: aligned, zeroed, apart, and all refused after one that was. */
#include <check.h>
#include <string.h>

#include "core/arena.h"
#include "core/simd.h"
#include "tests/support/suite.h"

START_TEST(arrays_are_aligned_zeroed_and_apart)
{
    enum { ARRAYS = 40 };
    struct arena arena = {0};
    unsigned char *arrays[ARRAYS];
    for (size_t i = 0; i < ARRAYS; i++) {
        arrays[i] = arena_place(&arena, i * i, 1);
        ck_assert_ptr_nonnull(arrays[i]);
        ck_assert_uint_eq((uintptr_t)arrays[i] % SIMD_ALIGNMENT, 0);
        for (size_t b = 0; b < simd_round_up(i * i); b++)
            ck_assert_uint_eq(arrays[i][b], 0);
        memset(arrays[i], (int)i, simd_round_up(i * i));
    }
    for (size_t i = 0; i < ARRAYS; i++)
        for (size_t b = 0; b < simd_round_up(i * i); b++)
            ck_assert_uint_eq(arrays[i][b], i);
    ck_assert_int_eq(arena_status(&arena), CORE_OK);
    arena_finish(&arena);
    ck_assert_ptr_null(arena.last);
}
END_TEST

/* SIZE_MAX / 8 numbers of 8 bytes would fit without the bytes that an arena adds. */
static const size_t too_many[] = {SIZE_MAX, SIZE_MAX / 8 + 2, SIZE_MAX / 8};
START_TEST(after_an_array_that_is_too_large_all_are_refused)
{
    struct arena arena = {0};
    ck_assert_ptr_nonnull(arena_place(&arena, 10, 8));
    ck_assert_ptr_null(arena_place(&arena, too_many[_i], 8));
    ck_assert_int_eq(arena_status(&arena), CORE_NO_MEMORY);
    ck_assert_ptr_null(arena_reserve(&arena, 1, 1));
    arena_finish(&arena);
    ck_assert_int_eq(arena_status(&arena), CORE_OK);
    ck_assert_ptr_nonnull(arena_reserve(&arena, 1, 1));
    arena_finish(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("arena");
    TCase *tests = tcase_create("arena");
    tcase_add_test(tests, arrays_are_aligned_zeroed_and_apart);
    tcase_add_loop_test(tests, after_an_array_that_is_too_large_all_are_refused, 0, ROWS(too_many));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
