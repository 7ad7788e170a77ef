/* Numbers to and from text: reading against jansson, writing against printf, bit for bit.
 *
 * TEMPOTROND_FUZZ=N reads and writes N numbers in each random test instead of the few that a short
 * run affords; N = 2^32 writes every float there is. CK_RUN_CASE=reading or writing runs one half.
 */
#include <check.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "server/base/decimal.h"
#include "tests/support/suite.h"

enum { LONGEST = 1200, READINGS = 200000, WRITINGS = 1000000 };

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* --- reading --- */

/* Whether jansson takes `text` as the one number of an array. */
static bool jansson_reads(const char *text, size_t size, double *value)
{
    char array[LONGEST + 2];
    array[0] = '[';
    memcpy(array + 1, text, size);
    array[size + 1] = ']';
    json_t *document = json_loadb(array, size + 2, JSON_DECODE_INT_AS_REAL, NULL);
    const json_t *number = json_array_get(document, 0);
    const bool reads = json_array_size(document) == 1 && json_is_real(number);
    if (reads)
        *value = json_real_value(number);
    json_decref(document);
    return reads;
}

/* Reads `text` with `behind` after it from a block of just that size, which a sanitizer guards. */
static const char *read_alone(const char *text, size_t size, const char *behind, double *value)
{
    const size_t whole = size + strlen(behind);
    char *block = malloc(whole + 1);
    if (block == NULL)
        ck_abort();
    memcpy(block + 1, text, size);
    memcpy(block + 1 + size, behind, strlen(behind));
    const char *end = decimal_read(block + 1, block + 1 + whole, value);
    end = end == NULL ? NULL : text + (end - (block + 1));
    free(block);
    return end;
}

/* With only the delimiter after it, and with enough to read eight bytes at once. A passed
 * ck_assert is a system call: where millions are asked, only the failure is told. */
static void expect_as_jansson(const char *text, size_t size, uint64_t seed)
{
    static const char *const behinds[] = {"]", ",12345678901234567890", "]e.0x1_3p-", " , 1,2,3 ]"};
    double expected = 7.25;
    const bool accepted = jansson_reads(text, size, &expected);
    for (size_t i = 0; i < COUNT(behinds); i++) {
        double value = 7.25;
        const char *end = read_alone(text, size, behinds[i], &value);
        if ((end == text + size) != accepted)
            ck_abort_msg("%.*s%s: %s (seed %" PRIu64 ")", (int)size, text, behinds[i],
                         accepted ? "refused" : "accepted", seed);
        if ((accepted || end == NULL) && bits_of(value) != bits_of(expected))
            ck_abort_msg("%.*s%s: %a, not %a (seed %" PRIu64 ")", (int)size, text, behinds[i],
                         value, expected, seed);
    }
}

/* With a space between them. */
static const char edge_cases[] =
    /* grammar */
    "0 -0 00 01 -01 007 +1 .5 -.5 1. 1.e5 1.5.5 1e 1e+ 1e- 1E 1e5.5 1e5e5 - --1 0x10 1x 1_0 "
    "0e 0e1 1f inf nan -inf Infinity -Infinity -NaN 1e+-5 1- 1+1 0. -0. /1 :1 1/ 1: 1.: 1./5 "
    "1e/ 1e: \xb1 1\xb2 1.\xff "
    /* integers, of every length that is read in another way */
    "7 42 255 1000 12345 123456 1234567 12345678 123456789 1234567890 0000001 0000000 "
    "00000000 0123456 01234567 -1234567 999999999999999999 9999999999999999999 "
    "10000000000000000000 18446744073709551615 18446744073709551616 36893488147419103232 "
    "99999999999999999999 "
    /* about the largest exact integer, ties */
    "9007199254740991 9007199254740992 9007199254740993 9007199254740994 9007199254740995 "
    "9007199254740996 9007199254740993.0 9007199254740993e0 "
    "9007199254740993.00000000000000000000000000000000000000000000000000000000000000000000001 "
    "9007199254740992.99999999999999999999999999999999999999999999999999999999999999999999999 "
    "-9007199254740993 9007199254740993e1 9007199254740993e22 9007199254740993e-22 "
    "9007199254740992e22 9007199254740992e-22 9007199254740992e23 9007199254740992e-23 "
    "900719925474099.3 4503599627370496.5 4503599627370497.5 4503599627370498.5 "
    "1152921504606846848.5 9223372036854775807 9223372036854775808 9223372036854774784 "
    "9223372036854775296 9223372036854775295 9223372036854775297 9223372036854776832 5e-1 "
    "1.00000000000000011102230246251565404236316680908203125 "
    "1.00000000000000011102230246251565404236316680908203124 "
    "1.00000000000000011102230246251565404236316680908203126 "
    "1.00000000000000033306690738754696212708950042724609375 100000000000000016777215 "
    "100000000000000016777216 100000000000000016777217 "
    /* powers of ten at the bounds of the short ways */
    "1e22 1e23 1e-22 1e-23 1e27 1e28 1e-27 1e-28 123e27 123e28 12345678901234567e27 "
    "12345678901234567e28 12345678901234567e-27 12345678901234567e-28 9999999999999999999e27 "
    "9999999999999999999e-27 18014398509481985e1 3.0000000000000000000 3.000000000000000000 "
    "0.30000000000000004 0.1 0.2 0.3 1e0 1e-0 1e+0 1e+0000000005 1e-0000000005 1E5 1E+5 "
    "8.41e+21 2.0919495182368195e+21 1.3694e17 6.02e+27 "
    /* the ends of the range */
    "1.7976931348623157e308 1.7976931348623158e308 1.7976931348623159e308 "
    "1797693134862315807937289714053034150799341327100378269361737789804449682927647509466490"
    "1797758720709633028641669288791094655554785194040263065748867150582068190890200070838367"
    "6273854845817711531764475730270069855571366959622842914819860834936475292719074168444365"
    "510704342711559699508093042880177904174497791 "
    "1797693134862315807937289714053034150799341327100378269361737789804449682927647509466490"
    "1797758720709633028641669288791094655554785194040263065748867150582068190890200070838367"
    "6273854845817711531764475730270069855571366959622842914819860834936475292719074168444365"
    "510704342711559699508093042880177904174497792 1e308 1e309 -1e309 1e999 "
    "1e99999999999999999999999999 10000e305 0.0001e313 2.2250738585072011e-308 "
    "2.2250738585072014e-308 4.9406564584124654e-324 5e-324 2.4703282292062327e-324 "
    "2.4703282292062328e-324 1e-323 1e-324 1e-999 -1e-999 1e-99999999999999999999999999 "
    /* zeros, which no exponent changes */
    "0.0 -0.0 0e5 0e999 -0e-999 0.0e99999999999 0.0e-99999999999 "
    "0.0000000000000000000000000000000 -0.000000000000000000000000000000e99 "
    /* digits behind many zeros */
    "0.00000000000000000001 0.000000000000000000000000001234567890123456789 "
    "0.00000000000000000000000000000000000000001e41 "
    "0.000000000000000000001234567890123456789e20 "
    "0.00000000000000000000118446744073709551616e20 1.00000000000000000000 "
    "1.00000000000000000000000000000000000000000000000001 1.2345678901234567890e0 "
    "12345678901234567890e-19 1.234567890123456789 1.8446744073709551616 "
    "18446744073709551616e-19 0.18446744073709551616";

/* The word after this one, whose size is 0 if it is none yet; NULL after the last. */
static const char *next_word(const char *word, size_t *size)
{
    const char *next = word + *size + strspn(word + *size, " ");
    *size = strcspn(next, " ");
    return *size > 0 ? next : NULL;
}

START_TEST(edge_cases_are_read_as_jansson_reads_them)
{
    size_t size = 0;
    for (const char *word = edge_cases; (word = next_word(word, &size)) != NULL;)
        expect_as_jansson(word, size, 0);
    expect_as_jansson("", 0, 0);
    expect_as_jansson("- 1", 3, 0);
    expect_as_jansson("1 2", 3, 0);
}
END_TEST

START_TEST(numbers_of_many_digits_are_read_as_jansson_reads_them)
{
    static const char *const ends[] = {"",       "1",    "1e1001", "e-390", "e-400",
                                       "e-1000", "e308", ".5",     "e-",    "x"};
    char text[LONGEST];
    for (int kind = 0; kind < 4; kind++)
        for (size_t digits = 1; digits <= 1000; digits += digits < 50 ? 1 : 50)
            for (size_t e = 0; e < COUNT(ends); e++) {
                snprintf(text, sizeof text, "%s", kind == 0 ? "0." : kind == 1 ? "-1." : "");
                const size_t from = strlen(text);
                memset(text + from, kind < 2 ? '0' : kind == 2 ? '9' : '5', digits);
                strcpy(text + from + digits, ends[e]);
                expect_as_jansson(text, strlen(text), digits);
            }
}
END_TEST

START_TEST(a_number_that_reaches_the_end_is_refused)
{
    size_t size = 0;
    for (const char *word = edge_cases; (word = next_word(word, &size)) != NULL;)
        for (size_t part = 0; part <= size; part++) {
            double value;
            const char *end = read_alone(word, part, "", &value);
            ck_assert_msg(end != word + part, "%.*s", (int)part, word);
            ck_assert_msg(end == NULL || !jansson_reads(word, part, &value), "%.*s", (int)part,
                          word);
        }
}
END_TEST

START_TEST(the_byte_after_a_number_is_not_touched)
{
    static const struct {
        const char *text;
        double value;
        size_t size;
    } cases[] = {
        {"0x10", 0, 1},
        {"-0x1p4]", -0.0, 2},
        {"1_0", 1, 1},
        {"1e5x", 1e5, 3},
        {"12 ,3456789", 12, 2},
        {"1.5.5", 1.5, 3},
        {"7-1234567", 7, 1},
        {"1e5e5", 1e5, 3},
        {"3\xb3", 3, 1},
        {"3\0333333333", 3, 1},
        {"255]12345678", 255, 3},
        {"4:5678901", 4, 1},
        {"4/5678901,", 4, 1},
        {"0.1f", 0.1, 3},
        {"1e23,", 1e23, 4},
        {"1e-5p3", 1e-5, 4},
        {"12345678901234567890x1", 12345678901234567890.0, 20},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        double value = 7.25;
        const char *text = cases[i].text;
        const char *end = decimal_read(text, text + strlen(text), &value);
        ck_assert_msg(end == text + cases[i].size, "%s", text);
        ck_assert_msg(bits_of(value) == bits_of(cases[i].value), "%s: %a", text, value);
    }
}
END_TEST

static uint64_t draw(uint64_t *state)
{
    uint64_t word = *state += 0x9e3779b97f4a7c15;
    word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9;
    word = (word ^ word >> 27) * 0x94d049bb133111eb;
    return word ^ word >> 31;
}

/* Digits with a point somewhere and an exponent, few of them too far. */
static void draw_digits(uint64_t *state, char *text)
{
    const uint64_t digits = 1 + draw(state) % (draw(state) % 8 == 0 ? 400 : 22);
    const uint64_t point = draw(state) % (digits + 3);
    size_t size = draw(state) % 4 == 0 ? (size_t)sprintf(text, "-") : 0;
    for (uint64_t i = 0; i < digits; i++) {
        if (i == point)
            text[size++] = '.';
        text[size++] = (char)('0' + (draw(state) % 8 == 0 ? 0 : draw(state) % 10));
    }
    text[size] = '\0';
    const int exponent = (int)(draw(state) % 60) - 30, far = (int)(draw(state) % 700) - 350;
    const uint64_t kind = draw(state) % 4;
    if (kind > 0)
        sprintf(text + size, kind == 1 ? "e%+03d" : "E%d", kind == 3 ? far : exponent);
}

/* A midpoint between two doubles, or what is just beside it; in full, or in few digits. */
static void draw_midpoint(uint64_t *state, char *text)
{
    const uint64_t exponent =
        draw(state) % 2 == 0 ? 1 + draw(state) % 2045 : 960 + draw(state) % 180;
    const double value = double_of(exponent << 52 | draw(state) >> 12);
    const long double middle = ((long double)value + (long double)nextafter(value, INFINITY)) / 2;
    const int digits[] = {16, 17, 18, 19, 20, 21, 30, 800};
    size_t size = (size_t)sprintf(text, "%.*Le", digits[draw(state) % 8] - 1, middle);
    char *last = strchr(text, 'e') - 1;
    if (size < 100 && draw(state) % 2 == 0 && *last > '0' && *last < '9')
        *last = (char)(*last + (draw(state) % 2 == 0 ? 1 : -1));
}

/* A mantissa of 54 bits, odd, by a power of ten that divides or multiplies it: an exact midpoint.
 */
static void draw_exact_midpoint(uint64_t *state, char *text)
{
    uint64_t factor = 1;
    const int power = (int)(draw(state) % 24);
    for (int i = 0; i < power; i++)
        factor *= 5;
    const uint64_t middle = UINT64_C(1) << 53 | draw(state) >> 11 | 1;
    if (draw(state) % 2 == 0)
        sprintf(text, "%" PRIu64 "e%d", ((middle / factor) | 1), power);
    else
        sprintf(text, "%" PRIu64 ".%s", middle >> draw(state) % 3,
                draw(state) % 2 == 0 ? "5" : "25");
}

static void mutate(uint64_t *state, char *text)
{
    static const char bytes[] = "0123456789+-.eE,]x_/:00";
    const size_t size = strlen(text);
    for (uint64_t i = 1 + draw(state) % 2; i > 0; i--)
        text[draw(state) % size] = bytes[draw(state) % (sizeof bytes - 1)];
}

static void draw_number(uint64_t *state, char *text)
{
    const uint64_t word = draw(state);
    double real = double_of(draw(state));
    float small = float_of((uint32_t)draw(state));
    real = isfinite(real) ? real : (double)(word >> 11) * 0x1p-53;
    small = isfinite(small) ? small : (float)(word >> 40) * 0x1p-24f;
    switch (draw(state) % 10) {
    case 0:
        sprintf(text, "%" PRIu64, word % 256);
        break;
    case 1:
        sprintf(text, "%" PRId64, (int64_t)word >> draw(state) % 64);
        break;
    case 2:
        sprintf(text, "%.17g", real);
        break;
    case 3:
        sprintf(text, "%.17g",
                ((double)(word >> 11) * 0x1p-52 - 1) * pow(10, (double)(word % 9) - 4));
        break;
    case 4:
        sprintf(text, "%.9g", (double)small);
        break;
    case 5:
        draw_midpoint(state, text);
        break;
    case 6:
        draw_exact_midpoint(state, text);
        break;
    default:
        draw_digits(state, text);
        break;
    }
    if (draw(state) % 8 == 0)
        mutate(state, text);
}

START_TEST(random_numbers_are_read_as_jansson_reads_them)
{
    const uint64_t count = suite_rounds(READINGS);
    char text[LONGEST];
    for (uint64_t seed = 1; seed <= count; seed++) {
        uint64_t state = seed;
        draw_number(&state, text);
        expect_as_jansson(text, strlen(text), seed);
    }
}
END_TEST

/* --- writing --- */

/* The plain way: the first precision, from where every decimal survives, that reads back. */
static size_t print(double value, bool as_float, char *text)
{
    const int most = as_float ? FLT_DECIMAL_DIG : DBL_DECIMAL_DIG;
    const bool subnormal = fabs(value) < (as_float ? (double)FLT_MIN : DBL_MIN);
    int digits = subnormal ? 1 : as_float ? FLT_DIG : DBL_DIG;
    if (value == 0 && signbit(value))
        return (size_t)sprintf(text, "-0.0");
    if (fabs(value) < 1e6 && value == (double)(int64_t)value)
        return (size_t)sprintf(text, "%" PRId64, (int64_t)value);
    int size = sprintf(text, "%.*g", digits, value);
    while (digits < most && (as_float ? (double)strtof(text, NULL) : strtod(text, NULL)) != value)
        size = sprintf(text, "%.*g", ++digits, value);
    return (size_t)size;
}

static void expect_float(float value)
{
    char text[DECIMAL_TEXT], expected[DECIMAL_TEXT];
    if (!isfinite(value))
        return;
    const size_t size = decimal_write_float(value, text);
    const size_t expected_size = print((double)value, true, expected);
    if (size != expected_size || memcmp(text, expected, size) != 0)
        ck_abort_msg("%a: %.*s, not %s", (double)value, (int)size, text, expected);
}

static void expect_double(double value)
{
    char text[DECIMAL_TEXT], expected[DECIMAL_TEXT];
    if (!isfinite(value))
        return;
    const size_t size = decimal_write_double(value, text);
    const size_t expected_size = print(value, false, expected);
    if (size != expected_size || memcmp(text, expected, size) != 0)
        ck_abort_msg("%a: %.*s, not %s", value, (int)size, text, expected);
}

/* The float and its next neighbours, of both signs. */
static void expect_floats_about(double middle)
{
    float value = (float)middle;
    for (int i = 0; i < 8; i++)
        value = nextafterf(value, 0);
    for (int i = 0; i <= 16; i++) {
        expect_float(value);
        expect_float(-value);
        value = nextafterf(value, INFINITY);
    }
}

static void expect_doubles_about(double middle)
{
    double value = nextafter(nextafter(middle, 0), 0);
    for (int i = 0; i <= 4; i++) {
        expect_double(value);
        expect_double(-value);
        value = nextafter(value, INFINITY);
    }
}

START_TEST(powers_and_their_neighbours_are_written_as_printf_does)
{
    for (int exponent = -1080; exponent < 1024; exponent++) {
        expect_floats_about(ldexp(1, exponent));
        expect_doubles_about(ldexp(1, exponent));
    }
    for (int exponent = -330; exponent <= 308; exponent++)
        for (int first = 1; first < 10; first++) {
            const double value = first * pow(10, exponent);
            expect_floats_about(value);
            expect_doubles_about(value);
        }
    expect_floats_about((double)FLT_MAX);
    expect_floats_about(1e6 - 0.5);
    expect_doubles_about(DBL_MAX);
}
END_TEST

/* Halves of the last of six to nine digits, where the rounding goes to the even digit. */
START_TEST(ties_are_written_as_printf_does)
{
    for (int bits = 0; bits <= 24; bits++)
        for (uint32_t odd = 1; odd < 1000; odd += 2) {
            expect_float(ldexpf((float)odd, -bits));
            expect_float(ldexpf((float)(odd + 1000000 - odd % 64 * 3), -bits));
            expect_float(ldexpf((float)((1 << 24) - odd), -bits));
        }
}
END_TEST

START_TEST(floats_of_any_bits_are_written_as_printf_does)
{
    /* The odd factor leads through all 2^32 in an order that resembles none. */
    const uint64_t count = suite_rounds(WRITINGS);
    for (uint64_t i = 0; i < count; i++)
        expect_float(float_of((uint32_t)i * 2654435769u));
}
END_TEST

/* What weights, images and losses are: most random bits are far beyond them. */
START_TEST(floats_of_usual_size_are_written_as_printf_does)
{
    const uint64_t count = suite_rounds(WRITINGS / 4);
    for (uint64_t seed = 1; seed <= count; seed++) {
        uint64_t state = seed;
        const double unit = (double)(draw(&state) >> 11) * 0x1p-53;
        const double size = pow(10, (double)(draw(&state) % 20) - 6);
        const double decimals = pow(10, (double)(draw(&state) % 9));
        expect_float((float)(unit * size));
        expect_float((float)(round(unit * size * decimals) / decimals));
    }
}
END_TEST

START_TEST(doubles_are_written_as_printf_does)
{
    const uint64_t count = suite_rounds(WRITINGS / 10);
    for (uint64_t seed = 1; seed <= count; seed++) {
        uint64_t state = seed;
        expect_double(double_of(draw(&state)));
        expect_double((double)(draw(&state) >> 11) * 0x1p-53);
    }
}
END_TEST

static void expect_integer(int64_t value)
{
    char text[DECIMAL_TEXT], expected[DECIMAL_TEXT];
    const size_t size = decimal_write_integer(value, text);
    const size_t expected_size = (size_t)sprintf(expected, "%" PRId64, value);
    if (size != expected_size || memcmp(text, expected, size) != 0)
        ck_abort_msg("%.*s, not %s", (int)size, text, expected);
}

START_TEST(integers_are_written_as_printf_does)
{
    for (int64_t value = -100000; value <= 100000; value++)
        expect_integer(value);
    for (int64_t power = 1; power <= INT64_MAX / 10; power *= 10)
        for (int64_t factor = 1; factor < 10; factor++)
            for (int64_t more = -2; more <= 2; more++) {
                expect_integer(power * factor + more);
                expect_integer(-power * factor + more);
            }
    expect_integer(INT64_MAX);
    expect_integer(INT64_MIN);
    for (uint64_t seed = 1; seed <= 100000; seed++) {
        uint64_t state = seed;
        const int shift = (int)(draw(&state) % 64);
        expect_integer((int64_t)draw(&state) >> shift);
    }
}
END_TEST

static void set_timeout(TCase *tests)
{
    tcase_set_timeout(tests, 3600);
}

static TCase *reading(void)
{
    TCase *tests = tcase_create("reading");
    tcase_add_test(tests, edge_cases_are_read_as_jansson_reads_them);
    tcase_add_test(tests, numbers_of_many_digits_are_read_as_jansson_reads_them);
    tcase_add_test(tests, a_number_that_reaches_the_end_is_refused);
    tcase_add_test(tests, the_byte_after_a_number_is_not_touched);
    tcase_add_test(tests, random_numbers_are_read_as_jansson_reads_them);
    set_timeout(tests);
    return tests;
}

static TCase *writing(void)
{
    TCase *tests = tcase_create("writing");
    tcase_add_test(tests, powers_and_their_neighbours_are_written_as_printf_does);
    tcase_add_test(tests, ties_are_written_as_printf_does);
    tcase_add_test(tests, floats_of_any_bits_are_written_as_printf_does);
    tcase_add_test(tests, floats_of_usual_size_are_written_as_printf_does);
    tcase_add_test(tests, doubles_are_written_as_printf_does);
    tcase_add_test(tests, integers_are_written_as_printf_does);
    set_timeout(tests);
    return tests;
}

int main(void)
{
    Suite *suite = suite_create("decimal");
    suite_add_tcase(suite, reading());
    suite_add_tcase(suite, writing());
    return suite_run(suite);
}
