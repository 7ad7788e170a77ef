/* page.h - one page of a listing: how many items, and from which one on. */
#ifndef SERVER_API_PAGE_H
#define SERVER_API_PAGE_H

#include "server/base/problem.h"
#include "server/http/request.h"
#include "server/json/writer.h"

struct page {
    size_t limit;   /* items */
    int64_t cursor; /* of the last item of the page before; 0: from the start */
};

/* Reads ?limit= and ?cursor=. False with the problem set. */
bool page_read(const struct request *request, struct problem *problem, struct page *ret_page);

/* Writes the member next_cursor: the cursor of the last item if the page is full, else null. */
void page_write_next(struct json_writer *writer, const struct page *page, size_t count,
                     int64_t last);

#endif
