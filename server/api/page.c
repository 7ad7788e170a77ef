#include "server/api/page.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/api/service.h"
#include "server/model/errors.h"
#include "server/store/pool.h"

static bool read_number(const struct request *request, const char *name, int64_t max,
                        struct problem *problem, int64_t *number)
{
    const char *text = request_query(request, name);
    if (text == NULL)
        return true;
    char *end;
    errno = 0;
    const long long value = strtoll(text, &end, 10);
    if (errno != 0 || !isdigit((unsigned char)*text) || *end != '\0' || value < 1 || value > max)
        return problem_add_parameter(problem, PROBLEM_INVALID_PARAMETER, name,
                                     "It must be a whole number from 1 to %lld.", (long long)max);
    *number = value;
    return true;
}

/* Reads the options of the query string. */
static bool read_options(const struct request *request, struct problem *problem, struct page *page)
{
    int64_t limit = (int64_t)page->kind->default_limit;
    const bool has_limit = read_number(request, "limit", LIMIT_PAGE, problem, &limit);
    page->limit = (size_t)limit;
    return read_number(request, "cursor", INT64_MAX, problem, &page->cursor) && has_limit;
}

static bool is_large(const struct page *page)
{
    const struct page_kind *kind = page->kind;
    return page->limit > kind->default_limit ||
           (kind->size != NULL &&
            kind->size(page->store, page->cursor, page->limit) > LIMIT_PAGE_BYTES);
}

bool page_begin(struct page *page, struct service *service, const struct request *request,
                const struct page_kind *kind, struct reply *reply)
{
    *page = (struct page){.kind = kind, .service = service, .reply = reply};
    if (!read_options(request, &reply->problem, page) ||
        !errors_store_ok(store_pool_borrow_reader(service->stores, &page->store), PROBLEM_INTERNAL,
                         "", &reply->problem))
        return false;
    if (request->team == NULL && is_large(page)) {
        reply_continue(reply, kind->handler, WORK_FOR_POOL);
    } else {
        page->records = calloc(page->limit, kind->record_size);
        if (page->records != NULL)
            return true;
        problem_set_no_memory(&reply->problem);
    }
    store_pool_return_reader(service->stores, page->store);
    return false;
}

bool page_is_listed(struct page *page, bool is_read)
{
    struct buffer *json = &page->reply->body;
    store_pool_return_reader(page->service->stores, page->store);
    page->is_listed = is_read;
    if (!is_read)
        return false;
    json_write_object_begin(json);
    json_write_key(json, page->kind->array);
    json_write_array_begin(json);
    return true;
}

bool page_takes(struct page *page, size_t *ret_number)
{
    if (!page->is_listed || page->listed == page->count ||
        page->reply->body.size >= LIMIT_PAGE_BYTES)
        return false;
    *ret_number = page->listed++;
    return true;
}

bool page_shows(struct page *page, bool is_whole)
{
    page->damaged += !is_whole;
    return is_whole;
}

static void write_next(const struct page *page, int64_t last)
{
    char cursor[24];
    struct buffer *json = &page->reply->body;
    snprintf(cursor, sizeof cursor, "%lld", (long long)last);
    json_write_member_string(json, "next_cursor",
                             page->listed < page->limit && page->listed == page->count ? NULL
                                                                                       : cursor);
}

void page_end(struct page *page, int64_t last)
{
    struct buffer *json = &page->reply->body;
    if (page->is_listed) {
        json_write_array_end(json);
        write_next(page, last);
        if (page->damaged > 0)
            json_write_member_integer(json, "damaged", (int64_t)page->damaged);
        json_write_object_end(json);
    }
    free(page->records);
}
