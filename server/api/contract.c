/* The contract itself, openapi.yaml, as it is embedded in the program. */
#include "server/api/handlers.h"
#include "server/base/embedded.h"

void contract_get(struct service *service, const struct request *request, struct reply *reply)
{
    (void)service;
    (void)request;
    reply->content_type = "application/yaml";
    buffer_add(&reply->body, embedded_openapi.text, embedded_openapi.size);
}
