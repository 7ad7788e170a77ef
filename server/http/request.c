#include "server/http/request.h"

#include <stdlib.h>
#include <string.h>

/* The fields of a problem are many, and none is read before it was added. */
void reply_init(struct reply *reply)
{
    memset(reply, 0, offsetof(struct reply, problem) + offsetof(struct problem, fields));
    reply->json = json_writer_to(&reply->body);
}

void *reply_make_state(struct reply *reply, size_t size, void (*finish)(void *state))
{
    void *state = calloc(1, size);
    if (state == NULL)
        problem_set_no_memory(&reply->problem);
    else
        reply->next = (struct reply_next){.state = state, .finish = finish};
    return state;
}

const char *request_query(const struct request *request, const char *name)
{
    for (unsigned i = 0; i < request->query_count; i++)
        if (strcmp(request->query[i].name, name) == 0)
            return request->query[i].value;
    return NULL;
}
