/* exchange.h - a request's way from its first line to its log line: the callbacks of libmicrohttpd.
 * Their cls is the struct http_server. */
#ifndef SERVER_HTTP_EXCHANGE_H
#define SERVER_HTTP_EXCHANGE_H

#include <microhttpd.h>

/* A connection opens or closes. */
void exchange_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                         enum MHD_ConnectionNotificationCode code);

/* The request line has arrived; begins the exchange. */
void *exchange_begin(void *cls, const char *uri, struct MHD_Connection *connection);

/* The headers have arrived; then a piece of the body has, as often as one arrives; then the whole
 * body has; and again whenever the request has been resumed. */
enum MHD_Result exchange_handle(void *cls, struct MHD_Connection *connection, const char *url,
                                const char *method, const char *version, const char *upload,
                                size_t *upload_size, void **context);

/* The answer is sent, or the connection is lost; logs the request and frees what it holds. */
void exchange_end(void *cls, struct MHD_Connection *connection, void **context,
                  enum MHD_RequestTerminationCode code);

#endif
