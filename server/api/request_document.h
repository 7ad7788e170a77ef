/* request_document.h - the body of a request as a document, whatever its media type.
 *
 * Of application/x-npy the array becomes one member, and the parameters of the query string become
 * the others: each is a JSON value, or, where it is none, a string. */
#ifndef SERVER_API_REQUEST_DOCUMENT_H
#define SERVER_API_REQUEST_DOCUMENT_H

#include "server/base/problem.h"
#include "server/http/request.h"
#include "server/json/document.h"

enum array_use {
    ARRAY_AS_IT_IS,
    ARRAY_OF_SAMPLES /* dimensions after the first are flattened into one */
};

/* The document, where an array would be its member `array`. NULL with the problem set. It borrows
 * from the request. */
struct document *request_document(const struct request *request, const char *array,
                                  enum array_use use, struct problem *problem);

#endif
