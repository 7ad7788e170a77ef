/* Health: whether the process lives, and whether it can serve. */
#include "server/api/handlers.h"
#include "server/api/service.h"
#include "server/store/pool.h"

static void answer_status(const char *status, struct reply *reply)
{
    json_write_object_begin(&reply->body);
    json_write_member_string(&reply->body, "status", status);
    json_write_object_end(&reply->body);
}

void health_live(struct service *service, const struct request *request, struct reply *reply)
{
    (void)service;
    (void)request;
    answer_status("live", reply);
}

void health_ready(struct service *service, const struct request *request, struct reply *reply)
{
    (void)request;
    if (atomic_load(&service->draining))
        problem_set(&reply->problem, PROBLEM_SHUTTING_DOWN, "The service is shutting down.");
    else if (!store_pool_is_in_place(service->stores))
        problem_set(&reply->problem, PROBLEM_STORE_UNAVAILABLE,
                    "The file of the database, or its -wal, was deleted, replaced or cut while the "
                    "server runs. What is written now is lost: put the file back, or stop the "
                    "server.");
    else if (store_pool_is_damaged(service->stores))
        problem_set(&reply->problem, PROBLEM_STORE_UNAVAILABLE,
                    "The file of the database, or its -wal, is damaged. Stop the server, look at "
                    "it with tempotrond check, and restore a backup.");
    else if (store_pool_is_broken(service->stores))
        problem_set(&reply->problem, PROBLEM_STORE_UNAVAILABLE,
                    "The database can't be written to.");
    else
        answer_status("ready", reply);
}
