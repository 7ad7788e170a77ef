/* exchange.h - one request's way from its first line to its log line, as the callbacks that
 * libmicrohttpd makes. Their cls is the struct http_server. */
#ifndef SERVER_HTTP_EXCHANGE_H
#define SERVER_HTTP_EXCHANGE_H

#include <microhttpd.h>

/* A connection opens or closes. */
void http_exchange_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                              enum MHD_ConnectionNotificationCode code);

/* The request line has come; makes the exchange. */
void *http_exchange_begin(void *cls, const char *uri, struct MHD_Connection *connection);

/* Once after the headers, once a piece of the body, once after it, and again after each waiting. */
enum MHD_Result http_exchange_handle(void *cls, struct MHD_Connection *connection, const char *url,
                                     const char *method, const char *version, const char *upload,
                                     size_t *upload_size, void **context);

/* The answer is sent, or the connection lost; logs, and frees the exchange. */
void http_exchange_end(void *cls, struct MHD_Connection *connection, void **context,
                       enum MHD_RequestTerminationCode code);

#endif
