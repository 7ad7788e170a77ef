/* exchange.h - a request's way from its first line to its log line: the callbacks of libmicrohttpd.
 */
#ifndef SERVER_HTTP_EXCHANGE_H
#define SERVER_HTTP_EXCHANGE_H

struct http_server;
struct MHD_Daemon;

/* Starts libmicrohttpd with this many event loops, without a socket to listen on. NULL: no memory
 * or no thread. None of its threads reaches its share of the connections: see connections.h. */
struct MHD_Daemon *exchange_start_daemon(struct http_server *server, unsigned loops);

#endif
