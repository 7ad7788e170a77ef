/* runs.h - training as clients order it: runs that are queued, awaited, and cancelled.
 *
 * That a run has come so far is no event that HTTP could tell, so it is asked for again and
 * again. */
#ifndef TESTS_SUPPORT_RUNS_H
#define TESTS_SUPPORT_RUNS_H

#include <stdbool.h>

#include "tests/support/http.h"

enum { RUN_ENDLESS = 100000 }; /* epochs: far longer than a test lasts */

/* POST /models/{id}/train, with a header or NULL; takes the order, as all of these do. */
struct http_answer run_order(const struct service *service, const char *model, json_t *order,
                             const char *header);
/* The run's number, answered 202. */
json_int_t run_queue(const struct service *service, const char *model, json_t *order);
/* The finished run, answered 200; the second asserts that it succeeded. */
json_t *run_finish(const struct service *service, const char *model, json_t *order);
json_t *run_succeed(const struct service *service, const char *model, json_t *order);

/* Asserts that the contract lists the code of its error, as all that show a run do. */
json_t *run_get(const struct service *service, json_int_t id);
json_t *run_cancel(const struct service *service, json_int_t id, long status);

bool run_has_begun(const json_t *run); /* and ended an epoch */
bool run_is_running(const json_t *run);
bool run_has_ended(const json_t *run);

/* The run, once it is so. */
json_t *run_await(const struct service *service, json_int_t id, bool (*is_so)(const json_t *run));
/* Until it has begun; asserts that it still runs. */
void run_await_begun(const struct service *service, json_int_t id);

/* A time of the run's ("started_at") as milliseconds of its day. */
long run_time(const json_t *run, const char *name);

/* A model and its training, as one test repeats them. */
struct run_recipe {
    void (*create)(const struct service *service, const char *model);
    json_t *(*order)(int epochs);
};
/* Ends the server in the middle of a run, with `end` (service_kill(), service_stop()), starts it
 * again, and asserts that the run then ends with the weights of one that nothing interrupted.
 * Returns the run, and writes the names of the model, and of the one to compare with. */
enum { RUN_MODEL = 32 };
json_int_t run_survives(struct service *service, const struct run_recipe *recipe,
                        void (*end)(struct service *service), char model[RUN_MODEL],
                        char calm[RUN_MODEL]);

/* Two models serve the same weights. */
void expect_equal_weights(const struct service *service, const char *one, const char *other);

/* Two runs have the same epochs with the same metrics, bit by bit. */
void expect_equal_metrics(const struct service *service, json_int_t one, json_int_t other);

/* A train request on two samples for the model of create_plain_model(). */
json_t *run_small_order(int epochs);

#endif
