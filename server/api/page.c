#include "server/api/page.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static bool read_number(const struct request *request, const char *name, int64_t max,
                        struct problem *problem, int64_t *number)
{
    const char *text = request_query(request, name);
    if (text == NULL)
        return true;
    char *end;
    errno = 0;
    const long long value = strtoll(text, &end, 10);
    if (errno != 0 || !isdigit((unsigned char)*text) || *end != '\0' || value < 1 || value > max) {
        problem_add_parameter(problem, PROBLEM_INVALID_PARAMETER, name,
                              "It must be a whole number from 1 to %lld.", (long long)max);
        return false;
    }
    *number = value;
    return true;
}

bool page_read(const struct request *request, struct problem *problem, struct page *ret_page)
{
    int64_t limit = LIMIT_PAGE_DEFAULT, cursor = 0;
    const bool has_limit = read_number(request, "limit", LIMIT_PAGE, problem, &limit);
    const bool has_cursor = read_number(request, "cursor", INT64_MAX, problem, &cursor);
    if (!has_limit || !has_cursor)
        return false;
    *ret_page = (struct page){.limit = (size_t)limit, .cursor = cursor};
    return true;
}

void page_write_next(struct json_writer *writer, const struct page *page, size_t count,
                     int64_t last)
{
    char cursor[24];
    json_write_key(writer, "next_cursor");
    if (count < page->limit) {
        json_write_null(writer);
        return;
    }
    snprintf(cursor, sizeof cursor, "%lld", (long long)last);
    json_write_string(writer, cursor);
}
