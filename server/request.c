#include "request.h"

#include <string.h>

const char *request_query(const struct request *request, const char *name)
{
    for (unsigned i = 0; i < request->query_count; i++)
        if (strcmp(request->query[i].name, name) == 0)
            return request->query[i].value;
    return NULL;
}
