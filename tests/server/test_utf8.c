/* UTF-8: what is valid, and excerpts of any text. */
#include <check.h>
#include <string.h>

#include "server/base/utf8.h"
#include "tests/support/suite.h"

START_TEST(texts_are_utf8_or_not)
{
    static const struct {
        const char *text;
        bool is_valid;
    } cases[] = {
        {"", true},
        {"plain", true},
        {"\xC3\xA9", true},
        {"\xE2\x82\xAC", true},
        {"\xF0\x9F\x98\x80", true},
        {"\xF4\x8F\xBF\xBF", true},
        {"\xED\x9F\xBF", true},
        {"\xC3", false},
        {"\x80", false},
        {"\xC1\xBF", false},
        {"\xE0\x9F\xBF", false},
        {"\xED\xA0\x80", false},
        {"\xF0\x8F\xBF\xBF", false},
        {"\xF4\x90\x80\x80", false},
        {"\xF5\x80\x80\x80", false},
        {"\xE2\x82", false},
        {"\xE2\x82q", false},
        {"\xFF\xFE", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(utf8_is_valid(cases[i].text, strlen(cases[i].text)) == cases[i].is_valid,
                      "case %zu", i);
}
END_TEST

START_TEST(excerpts_are_utf8_whatever_the_text_is)
{
    char out[UTF8_EXCERPT], text[200];
    utf8_excerpt("a\xFFq\n\xC3\xA9\x7F\xE2\x82", 9, out);
    ck_assert_str_eq(out, "a?q?\xC3\xA9???");
    for (size_t at = 0; at + 2 < sizeof text; at += 2)
        memcpy(text + at, "\xC3\xA9", 3);
    utf8_excerpt(text, strlen(text), out);
    ck_assert_uint_eq(strlen(out), 63);
    ck_assert_str_eq(out + 58, "\xC3\xA9...");
    memset(text, 'x', 60);
    text[60] = '\0';
    utf8_excerpt(text, 60, out);
    ck_assert_str_eq(out, text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("utf8");
    TCase *texts = tcase_create("texts");
    tcase_add_test(texts, texts_are_utf8_or_not);
    tcase_add_test(texts, excerpts_are_utf8_whatever_the_text_is);
    suite_add_tcase(suite, texts);
    return suite_run(suite);
}
