/* request_document.h - the body of a request as a document, whatever its media type.
 *
 * The array of a body of application/x-npy becomes one member, and the parameters of the query
 * string become the others. A parameter that is not a JSON value becomes a string. */
#ifndef SERVER_API_REQUEST_DOCUMENT_H
#define SERVER_API_REQUEST_DOCUMENT_H

#include "server/http/request.h"
#include "server/json/document.h"

enum array_use {
    ARRAY_AS_IT_IS,
    ARRAY_OF_SAMPLES /* dimensions after the first are flattened into one */
};

/* Reads the document; an array becomes its member `array`. The document borrows from the request's
 * body. NULL with the problem set. Free it with document_destroy(). */
struct document *request_document(const struct request *request, const char *array,
                                  enum array_use use, struct problem *problem);

#endif
