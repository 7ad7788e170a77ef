/* malformed.h - answers the malformed requests that libmicrohttpd would answer wrongly.
 *
 * libmicrohttpd answers some malformed requests itself, before it calls back. Most of these answers
 * are whole, and left to it. Up to 0.9.77 three are not: it sends its head twice if Content-Length
 * is no number, or a number too large, and if cookies don't fit into the connection's memory; it
 * never answers if the parameters of a query don't. They are prevented here:
 *
 * - A request line that is too long, or has too many parameters, is answered as soon as it has
 *   come.
 * - A cookie of our own comes before the client's: the library reads the first Cookie only.
 * - No callback comes between the headers and the library's answer to a wrong Content-Length, but
 *   the library tells its logger first. Then the requests of this event loop whose headers are
 *   being read are looked at, and those whose Content-Length can't be served are answered.
 *
 * An answer is written to the socket, which is then shut down: the library's own is lost. */
#ifndef SERVER_HTTP_MALFORMED_H
#define SERVER_HTTP_MALFORMED_H

#include <stdarg.h>

struct exchange;

/* The place of an exchange among those whose headers are being read. */
struct malformed_place {
    struct malformed_place *next; /* these two are for insque() */
    struct malformed_place *previous;
    struct exchange *exchange;
};

/* The request line has come: watches the exchange until malformed_forget(). */
void malformed_watch(struct exchange *exchange, const char *uri);

/* The headers have come, or never will. */
void malformed_forget(struct exchange *exchange);

/* The MHD_LogCallback. Nothing is logged. */
void malformed_log(void *cls, const char *format, va_list arguments);

#endif
