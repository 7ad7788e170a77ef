#include "tests/support/fixture.h"

struct service server;

static void (*start_server)(void); /* of all cases of this program */

void fixture_start(const char *const *flags)
{
    if (server.directory[0] != '\0')
        service_finish(&server);
    service_start(&server, flags);
}

static void set_up(void)
{
    if (start_server != NULL)
        start_server();
    else
        fixture_start(NULL);
}

static void tear_down(void)
{
    service_finish(&server);
}

static TCase *add_case(Suite *suite, const char *name, void (*start)(void))
{
    TCase *tests = tcase_create(name);
    start_server = start;
    tcase_set_timeout(tests, 2 * SERVICE_SECONDS);
    suite_add_tcase(suite, tests);
    return tests;
}

TCase *fixture_case(Suite *suite, const char *name, void (*start)(void))
{
    TCase *tests = add_case(suite, name, start);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    return tests;
}

TCase *fixture_shared_case(Suite *suite, const char *name, void (*start)(void))
{
    TCase *tests = add_case(suite, name, start);
    tcase_add_unchecked_fixture(tests, set_up, tear_down);
    return tests;
}
