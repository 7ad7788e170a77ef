/* A copy of the whole database, sent while the client reads it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/api/handlers.h"
#include "server/api/service.h"
#include "server/base/timestamp.h"
#include "server/model/errors.h"
#include "server/store/backup.h"
#include "server/store/pool.h"

struct copy {
    struct service *service; /* that it is the only copy of; NULL: there is another */
    int file;                /* owned; without a name; -1: none yet */
    uint64_t left;           /* bytes that were not sent yet */
};

static void finish_copy(void *state)
{
    struct copy *copy = state;
    if (copy->file >= 0)
        close(copy->file);
    if (copy->service != NULL)
        atomic_store(&copy->service->copying, false);
}

/* A file that can't be read to its end breaks the answer off. */
static void write_piece(void *state, struct buffer *piece)
{
    struct copy *copy = state;
    ssize_t size;
    char *out = copy->left > 0 ? buffer_extend(piece, REPLY_PIECE) : NULL;
    if (out == NULL)
        return;
    do
        size = read(copy->file, out, REPLY_PIECE);
    while (size < 0 && errno == EINTR);
    piece->failed |= size <= 0;
    piece->size = size > 0 ? (size_t)size : 0;
    copy->left -= piece->size;
}

/* Not every system takes a colon in the name of a file. */
static void name_file(char file_name[REPLY_FILE_NAME])
{
    snprintf(file_name, REPLY_FILE_NAME, "tempotron-%s.db", timestamp_text(timestamp_now()).text);
    for (char *at = file_name; (at = strchr(at, ':')) != NULL;)
        *at = '-';
}

static bool stop_requested(void *service)
{
    return atomic_load(&((struct service *)service)->draining);
}

static enum store_status make_copy(struct service *service, int *ret_file)
{
    struct store *store;
    const struct stop_check stop_check = {service, stop_requested};
    enum store_status status = store_pool_borrow_reader(service->stores, &store);
    if (status != STORE_OK)
        return status;
    status = store_backup_open(store, &stop_check, ret_file);
    store_pool_return_reader(service->stores, store);
    return status;
}

static bool is_made(enum store_status status, struct problem *problem)
{
    if (status == STORE_FULL)
        return problem_set(problem, PROBLEM_STORE_FULL,
                           "The disk has no room for a copy beside the database. Make room, or "
                           "delete models or datasets.");
    return errors_store_ok(status, PROBLEM_NONE, NULL, problem);
}

void backup_post(struct service *service, const struct request *request, struct reply *reply)
{
    (void)request;
    struct stat about;
    struct copy *copy = reply_make_stream(reply, sizeof *copy, write_piece, finish_copy);
    if (copy == NULL)
        return;
    copy->file = -1;
    if (atomic_exchange(&service->copying, true)) {
        problem_set(&reply->problem, PROBLEM_OVERLOADED,
                    "Another copy of the database is made or sent. Try again later.");
        return;
    }
    copy->service = service;
    if (!is_made(make_copy(service, &copy->file), &reply->problem))
        return;
    if (fstat(copy->file, &about) != 0) {
        problem_set(&reply->problem, PROBLEM_STORE_UNAVAILABLE, "The copy can't be read: %s.",
                    strerror(errno));
        return;
    }
    copy->left = (uint64_t)about.st_size;
    reply->stream.size = copy->left;
    reply->content_type = "application/vnd.sqlite3";
    name_file(reply->file_name);
}
