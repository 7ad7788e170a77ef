/* page.h - the answer that lists: {"models": [...], "next_cursor": "7"}, page by page.
 *
 * Between page_begin() and page_end() a handler fills the records from the store, asks
 * page_is_listed(), and if so writes them for as long as page_takes() one. */
#ifndef SERVER_API_PAGE_H
#define SERVER_API_PAGE_H

#include "server/http/reply.h"
#include "server/store/store.h"

/* What is listed. */
struct page_kind {
    request_handler *handler; /* that lists it */
    const char *array;        /* the name of the answer's member */
    size_t record_size;
    size_t default_limit; /* items; a longer page, and a large one, are for the pool */
    /* Bytes of the rows of a page; NULL: never large. */
    size_t (*size)(struct store *store, int64_t before, size_t limit);
};

struct page {
    const struct page_kind *kind;
    struct service *service;
    struct reply *reply;
    size_t limit;        /* items */
    int64_t cursor;      /* of the last item of the page before; 0: from the start */
    struct store *store; /* to read from; borrowed until page_is_listed() */
    void *records;       /* [limit], zeroed; owned */
    size_t count;        /* of the records that were read; the handler sets it */
    size_t listed;       /* of these, so far */
    size_t damaged;      /* of them: not shown */
    bool is_listed;
};

/* Reads ?limit= and ?cursor=, and prepares the records. False: the problem is set, or the handler
 * is the next step, on the pool; there is nothing to end. */
bool page_begin(struct page *page, struct service *service, const struct request *request,
                const struct page_kind *kind, struct reply *reply);

/* Gives the store back. Whether the records were read, as `is_read` says; the array is then begun.
 */
bool page_is_listed(struct page *page, bool is_read);

/* Whether the page takes another of the records that were read: it has less than LIMIT_PAGE_BYTES.
 * Counts it, and *ret_number is its number. */
bool page_takes(struct page *page, size_t *ret_number);
/* Counts a record that is damaged, as `is_whole` says. Returns is_whole: whether to write it. */
bool page_shows(struct page *page, bool is_whole);

/* Ends the answer, if it was begun: if there may be more, the next page follows `last`, the cursor
 * of the last record that was listed. Frees the records. */
void page_end(struct page *page, int64_t last);

#endif
