/* fixture.h - the server of the running test. A case that fixture_case() makes finds `server`
 * started before each of its tests; afterwards the server has to end cleanly, and its directory is
 * removed. */
#ifndef TESTS_SUPPORT_FIXTURE_H
#define TESTS_SUPPORT_FIXTURE_H

#include <check.h>

#include "tests/support/service.h"

/* A variable, so that a test can stop, kill and restart it, and ask it as any other server. */
extern struct service server;

/* Starts `server` with these flags, FLAGS(...) or NULL for none, in place of one that runs. */
void fixture_start(const char *const *flags);

/* Adds a case to the suite. `start` calls fixture_start() and creates what the tests need; NULL
 * starts a server without flags. All cases of a program have the same `start`. */
TCase *fixture_case(Suite *suite, const char *name, void (*start)(void));

/* Likewise, but one server serves all tests of the case: quick, for tests that leave it as it is.
 */
TCase *fixture_shared_case(Suite *suite, const char *name, void (*start)(void));

#endif
