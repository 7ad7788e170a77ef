/* server.c - starts and stops the server.
 *
 * Stopping: accept no new connection, answer the requests that wait for an event now, close the
 * connections that have no request, and wait for the others until the deadline. What is computed
 * then is ended, and answered so. Only then is the library stopped: it would not survive a
 * suspended connection, and by then there is none. */
#include "server/http/server.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "server/base/limits.h"
#include "server/base/log.h"
#include "server/http/internal.h"

/* One at a time writes; another one reads what it is to write meanwhile. */
enum { WRITERS = 2 };

/* In which the requests whose computations a stop ends are answered. */
enum { LAST_SECONDS = 1 };

enum { LOOPS_PER_CORE = 2, CORES_MIN = 2, REASON = 256, ERROR = 512 };

/* Descriptors: a connection has its socket and may have a file for its body, a thread has its event
 * loop's and those of a database connection. */
enum { FILES_PER_CONNECTION = 2, FILES_PER_THREAD = 6, OTHER_FILES = 64 };

/* Two a core: a client on the same machine gets its fair share of the cores, which is more than it
 * needs, and so interrupts a single event loop at almost every answer; it lets two run, and a fifth
 * more is served. */
static unsigned loop_count(void)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return LOOPS_PER_CORE * (cores > CORES_MIN ? (unsigned)cores : CORES_MIN);
}

/* Raises the limit of descriptors as far as is needed and possible. Returns how many connections it
 * is enough for, up to those wanted; 0 if for none. */
static unsigned connection_limit(const struct http_options *options)
{
    const rlim_t threads = loop_count() + WRITERS + options->pool_threads + options->other_threads;
    const rlim_t others = OTHER_FILES + FILES_PER_THREAD * threads;
    const rlim_t wanted = FILES_PER_CONNECTION * options->connections + others;
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return 0;
    if (files.rlim_cur < wanted) {
        files.rlim_cur = files.rlim_max < wanted ? files.rlim_max : wanted;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    if (files.rlim_cur >= wanted)
        return options->connections;
    return files.rlim_cur > others ? (unsigned)(files.rlim_cur - others) / FILES_PER_CONNECTION : 0;
}

void http_server_destroy(struct http_server *server)
{
    if (server == NULL)
        return;
    atomic_store(&server->stopping, true);
    thread_pool_close(server->writers);
    thread_pool_close(server->pool); /* resumes what it has: before the daemon can be stopped */
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon);
    thread_pool_destroy(server->writers);
    thread_pool_destroy(server->pool);
    connections_destroy(server->connections);
    listener_close(&server->listener);
    keys_destroy(server->keys);
    tls_close();
    free(server);
}

static bool open_sockets(struct http_server *server, char *error, size_t error_size)
{
    char reason[REASON];
    struct http_options *options = &server->options;
    const unsigned limit = connection_limit(options);
    if (limit == 0) {
        snprintf(error, error_size, "%s: the limit of open files is too low (ulimit -n)",
                 options->listen.text);
        return false;
    }
    if (limit < options->connections)
        log_notice("tempotrond: the limit of open files is enough for %u connections only "
                   "(ulimit -n)",
                   limit);
    options->connections = limit;
    if (!listener_open(&options->listen, &server->listener, reason, sizeof reason)) {
        snprintf(error, error_size, "%s: %s", options->listen.text, reason);
        return false;
    }
    if (options->hosts == NULL)
        options->hosts = server->listener.on_loopback ? "localhost" : "*";
    return true;
}

/* Without keys, an address outside of the loopback lets in all who reach it: that has to be said.
 */
static bool open_keys(struct http_server *server, char *error, size_t error_size)
{
    const char *path = server->options.api_key_file;
    const bool has_none = path == NULL || strcmp(path, API_KEYS_NONE) == 0;
    if (path == NULL && !server->listener.on_loopback) {
        snprintf(error, error_size,
                 "%s: it is not on the loopback, so it needs --api-key-file FILE, or "
                 "--api-key-file " API_KEYS_NONE " to let anyone in",
                 server->options.listen.text);
        return false;
    }
    if (!has_none)
        server->keys = keys_create(path, error, error_size);
    return has_none || server->keys != NULL;
}

struct http_server *http_server_open(const struct http_options *options, struct service *service,
                                     char *error, size_t error_size)
{
    struct http_server *server = malloc(sizeof *server);
    if (server == NULL) {
        snprintf(error, error_size, "%s: out of memory", options->listen.text);
        return NULL;
    }
    *server = (struct http_server){.options = *options, .service = service};
    server->options.bodies.files.max = BODY_FILES_AT_ONCE * options->bodies.max_file_bytes;
    if (getrandom(&server->first_request, sizeof server->first_request, GRND_NONBLOCK) < 0)
        server->first_request = (uint64_t)time(NULL) << 32;
    if (open_sockets(server, error, error_size) && open_keys(server, error, error_size) &&
        (options->tls_certificate == NULL ||
         tls_open(options->tls_certificate, options->tls_key, error, error_size)))
        return server;
    http_server_destroy(server);
    return NULL;
}

bool http_server_start(struct http_server *server, char *error, size_t error_size)
{
    const struct http_options *options = &server->options;
    server->pool = thread_pool_create(options->pool_threads, LIMIT_WAITING_JOBS);
    server->writers = thread_pool_create(WRITERS, LIMIT_WAITING_JOBS);
    server->connections = connections_create(options->connections, options->connections_per_address,
                                             options->request_timeout_seconds);
    if (server->pool != NULL && server->writers != NULL && server->connections != NULL)
        server->daemon = exchange_start_daemon(server, loop_count());
    if (server->daemon != NULL &&
        listener_start(&server->listener, server->daemon, server->connections))
        return true;
    snprintf(error, error_size, "%s: can't start the threads that serve", options->listen.text);
    return false;
}

const char *http_server_address(const struct http_server *server)
{
    return server->listener.text;
}

const char *http_server_scheme(const struct http_server *server)
{
    return server->options.tls_certificate != NULL ? "https://" : "http://";
}

void http_server_wake(struct http_server *server, int64_t event)
{
    connections_wake(server->connections, event);
}

void http_server_reload(struct http_server *server)
{
    char error[ERROR];
    if (server->keys == NULL && !tls_is_on())
        log_event("reload=nothing");
    else if ((server->keys == NULL || keys_reload(server->keys, error, sizeof error)) &&
             (!tls_is_on() || tls_reload(error, sizeof error)))
        log_event("reload=done");
    else
        log_event("reload=failed error=\"%s\"", error);
}

void http_server_drain(struct http_server *server, unsigned seconds)
{
    listener_deafen(&server->listener);
    connections_settle(server->connections);
    listener_close(&server->listener); /* from now on connections are refused */
    connections_drain(server->connections, seconds);
    atomic_store(&server->stopping, true);
    connections_drain(server->connections, LAST_SECONDS);
}
