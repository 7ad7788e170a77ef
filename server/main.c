/* main.c - tempotrond: starts the layers from the lowest up, waits for a signal, stops them from
 * the highest down. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/limits.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/api/routes.h"
#include "server/api/service.h"
#include "server/base/log.h"
#include "server/base/timestamp.h"
#include "server/compute/trainer.h"
#include "server/healthcheck.h"
#include "server/http/server.h"
#include "server/maintenance.h"
#include "server/model/cache.h"
#include "server/model/memory.h"
#include "server/new_key.h"
#include "server/options.h"
#include "server/sandbox.h"
#include "server/store/backup.h"
#include "server/store/pool.h"
#include "server/store/queue.h"

enum { ERROR = 512 };

static void complain(const char *what, const char *why)
{
    log_notice("tempotrond: %s: %s", what, why);
}

static void complain_of_store(const char *path, enum store_status status, int error)
{
    if (status != STORE_UNAVAILABLE || error == 0)
        complain(path, store_status_text(status));
    else if (error != EACCES)
        complain(path, strerror(error));
    else
        log_notice("tempotrond: %s: permission denied: user %u needs write access to it and its "
                   "directory",
                   path, (unsigned)geteuid());
}

static bool start_log(void)
{
    const bool started = log_start();
    if (!started)
        complain("log", "its thread can't be started");
    return started;
}

static bool start_store(struct service *service, const struct options *options)
{
    errno = 0;
    enum store_status status = store_pool_create(options->db, &service->stores);
    if (status == STORE_OK) {
        struct store *store = store_pool_borrow_writer(service->stores);
        status = store_limit(store, options->max_store_bytes);
        if (status == STORE_OK)
            status = store_queue_take_up(store, timestamp_now());
        if (status == STORE_OK)
            status = store_backup_sweep(options->db);
        store_pool_return_writer(service->stores, status);
    }
    if (status != STORE_OK) {
        complain_of_store(options->db, status, errno);
        return false;
    }
    service->cache =
        model_cache_create(service->stores, service->memory, options->model_cache_bytes);
    if (service->cache == NULL)
        complain("models", "out of memory");
    return service->cache != NULL;
}

static void wake_waiting_requests(void *context, int64_t run)
{
    const struct service *service = context;
    http_server_wake(service->http, run);
}

static bool has_model(struct service *service, const struct request *request)
{
    return model_cache_has(service->cache, request->model, request->version);
}

static void doubt_the_disk(void *context)
{
    const struct service *service = context;
    store_pool_doubt(service->stores);
}

static bool start_listening(struct service *service, const struct options *options)
{
    char error[ERROR];
    service->http = http_server_open(&options->http, service, error, sizeof error);
    if (service->http == NULL)
        log_notice("tempotrond: %s", error);
    return service->http != NULL;
}

static bool start_serving(struct service *service, const struct options *options)
{
    char error[ERROR];
    const struct trainer_options trainer = {
        .jobs = {.stores = service->stores,
                 .cache = service->cache,
                 .memory = service->memory,
                 .checkpoint_seconds = options->checkpoint_seconds,
                 .logs_all = options->http.log_requests,
                 .on_end = wake_waiting_requests,
                 .context = service},
        .workers = options->workers,
        .threads = options->http.pool_threads,
    };
    service->trainer = trainer_create(&trainer);
    if (service->trainer == NULL) {
        complain("training", "out of memory");
        return false;
    }
    if (!http_server_start(service->http, error, sizeof error)) {
        log_notice("tempotrond: %s", error);
        return false;
    }
    if (!trainer_start(service->trainer)) {
        complain("training", "its threads can't be started");
        return false;
    }
    return true;
}

/* `is_serving`: it has begun to. */
static void stop(struct service *service, bool is_serving, unsigned drain_seconds)
{
    atomic_store(&service->draining, true); /* before a run that is interrupted ends a wait */
    if (service->stores != NULL)
        store_pool_interrupt(service->stores);
    if (service->trainer != NULL)
        trainer_interrupt(service->trainer);
    if (is_serving)
        http_server_drain(service->http, drain_seconds);
    trainer_stop(service->trainer); /* its workers wake requests: before the server ends */
    http_server_destroy(service->http);
    trainer_destroy(service->trainer); /* the last requests have still asked it */
    service->trainer = NULL;
    model_cache_destroy(service->cache);
    store_pool_destroy(service->stores);
}

/* A pipe that nothing reads, and a file at its limit, are errors of the call that writes. */
static void ignore_signals(void)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

/* Blocks the signals that stop the server, or reload its keys, in every thread; one thread waits
 * for them. A signal that was ignored before stays ignored: nohup and shells in scripts rely on it.
 */
static void block_signals(sigset_t *ret_signals)
{
    static const int awaited[] = {SIGTERM, SIGINT, SIGHUP};
    sigemptyset(ret_signals);
    for (size_t i = 0; i < sizeof awaited / sizeof *awaited; i++) {
        struct sigaction before;
        if (sigaction(awaited[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaddset(ret_signals, awaited[i]);
    }
    pthread_sigmask(SIG_SETMASK, ret_signals, NULL);
}

/* A second signal ends the process at once, whatever the stop still waits for. */
static void let_signals_end_it(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
}

/* A closed standard stream would become a file or a connection, and the log would go there. */
static bool open_standard_streams(void)
{
    int file;
    do
        file = open("/dev/null", O_RDWR);
    while (file >= 0 && file <= STDERR_FILENO);
    if (file >= 0)
        close(file);
    return file >= 0;
}

/* All that is still to be opened lies beside the database, the keys and the certificate. The text
 * says what holds. */
static const char *confine(const struct options *options)
{
    const struct sandbox_file files[] = {
        {options->db, true},
        {options->http.api_key_file, false},
        {options->http.tls_certificate, false},
        {options->http.tls_key, false},
    };
    return options->sandbox ? sandbox_enter(files, sizeof files / sizeof *files) : "off";
}

static void await_stop(const struct service *service, const sigset_t *signals)
{
    int number;
    while (sigwait(signals, &number) == 0 && number == SIGHUP)
        http_server_reload(service->http);
}

/* Large blocks go back to the system when they are freed. Otherwise the heap of each thread would
 * keep them, beside all that the budgets count. */
static void keep_no_freed_memory(void)
{
    enum { LARGE = 1024 * 1024 };
    mallopt(M_MMAP_THRESHOLD, LARGE);
    mallopt(M_TRIM_THRESHOLD, LARGE);
}

static int serve(struct options *options, const sigset_t *signals)
{
    char directory[PATH_MAX];
    keep_no_freed_memory();
    struct memory memory;
    struct service service = {.max_dataset_bytes = options->http.bodies.max_file_bytes,
                              .memory = &memory,
                              .run_threads = options->http.pool_threads};
    memory_init(&memory, options->memory_bytes);
    snprintf(directory, sizeof directory, "%s", options->db);
    options->http.bodies.directory = dirname(directory);
    options->http.bodies.on_file_error = doubt_the_disk;
    options->http.bodies.context = &service;
    options->http.other_threads = options->workers;
    options->http.draining = &service.draining;
    options->http.is_cached = has_model;
    options->http.routes = routes;
    options->http.routes_count = routes_count;
    umask(S_IRWXG | S_IRWXO); /* only its owner may read the database */
    setenv("SQLITE_TMPDIR", options->http.bodies.directory, 1); /* the sandbox has no other place */
    const bool listens = start_listening(&service, options);
    const char *sandbox = listens ? confine(options) : "";
    const bool started = listens && start_log() && start_store(&service, options) &&
                         start_serving(&service, options);
    if (started) {
        log_notice("tempotrond " TEMPOTROND_VERSION " (sandbox: %s) ready on %s%s", sandbox,
                   http_server_scheme(service.http), http_server_address(service.http));
        await_stop(&service, signals);
        log_notice("tempotrond stopping");
        let_signals_end_it();
    }
    stop(&service, started, options->drain_timeout_seconds);
    memory_finish(&memory);
    log_flush();
    return started ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* COMMAND [FILE] [--OPTION VALUE]..., the file anywhere */
static int maintain(int argc, char **argv)
{
    struct options options;
    const char *file = NULL;
    const int status = options_read(argc, argv, &file, &options);
    if (status != OPTIONS_GO_ON)
        return status;
    return maintenance_run(argv[0], file, options.db);
}

/* Serves, or asks a server. Its signals wait from here on until they are handled. */
static int serve_or_ask(int argc, char **argv)
{
    sigset_t signals;
    struct options options;
    block_signals(&signals);
    const int status = options_read(argc, argv, NULL, &options);
    if (status != OPTIONS_GO_ON)
        return status;
    if (!options.healthcheck)
        return serve(&options, &signals);
    let_signals_end_it();
    if (healthcheck(&options.http.listen, options.http.tls_certificate != NULL))
        return EXIT_SUCCESS;
    complain(options.http.listen.text, "no tempotrond is ready there");
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    ignore_signals();
    if (!open_standard_streams()) {
        complain("/dev/null", strerror(errno));
        return EXIT_FAILURE;
    }
    if (argc > 1 && strcmp(argv[1], "new-key") == 0)
        return new_key(argc - 2, argv + 2);
    if (argc > 1 && maintenance_is_command(argv[1]))
        return maintain(argc - 1, argv + 1);
    return serve_or_ask(argc, argv);
}
