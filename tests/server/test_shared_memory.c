/* The memory that runs and requests share. */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#include "server/model/memory.h"
#include "tests/support/suite.h"

enum { ALL = 100, ROUNDS = 2000000, PATIENCE_SECONDS = 20 };

static sem_t room;
static atomic_bool ends;

static void note_room(void *context)
{
    ck_assert_ptr_eq(context, &room);
    sem_post(&room);
}

static void start(void)
{
    sem_init(&room, 0, 0);
}

static void stop(void)
{
    sem_destroy(&room);
}

START_TEST(a_run_that_waits_goes_before_requests)
{
    struct problem problem = {0};
    struct memory memory = {.budget.max = ALL, .on_room = note_room, .context = &room};
    ck_assert(memory_take(&memory, ALL, "", &problem));
    ck_assert(!memory_take_for_run(&memory, 1));
    memory_give(&memory, ALL);
    ck_assert_int_eq(sem_trywait(&room), 0);
    ck_assert(!memory_take(&memory, 1, "", &problem));
    ck_assert_int_eq(problem.code, PROBLEM_OVERLOADED);
    ck_assert(memory_take_for_run(&memory, 1));
    problem = (struct problem){0};
    ck_assert(memory_take(&memory, 1, "", &problem));
    memory_give(&memory, 1);
    ck_assert_int_ne(sem_trywait(&room), 0);
}
END_TEST

START_TEST(a_run_that_waits_no_more_keeps_no_request_out)
{
    struct problem problem = {0};
    struct memory memory = {.budget.max = ALL, .on_room = note_room, .context = &room};
    ck_assert(memory_take(&memory, ALL, "", &problem));
    ck_assert(!memory_take_for_run(&memory, 1));
    memory_no_run_waits(&memory);
    memory_give(&memory, ALL);
    ck_assert_int_ne(sem_trywait(&room), 0);
    ck_assert(memory_take(&memory, ALL, "", &problem));
}
END_TEST

static void *take_and_give(void *argument)
{
    struct problem problem;
    while (!atomic_load(&ends)) {
        problem = (struct problem){0};
        if (memory_take(argument, ALL, "", &problem))
            memory_give(argument, ALL);
    }
    return NULL;
}

/* Room that is given back in the moment in which the run is refused is not overlooked. */
START_TEST(a_run_that_waits_is_told_of_room)
{
    pthread_t thread;
    struct memory memory = {.budget.max = ALL, .on_room = note_room, .context = &room};
    ck_assert_int_eq(pthread_create(&thread, NULL, take_and_give, &memory), 0);
    for (int i = 0; i < ROUNDS; i++) {
        struct timespec end;
        clock_gettime(CLOCK_MONOTONIC, &end);
        end.tv_sec += PATIENCE_SECONDS;
        while (!memory_take_for_run(&memory, ALL))
            ck_assert_int_eq(sem_clockwait(&room, CLOCK_MONOTONIC, &end), 0);
        memory_give_of_run(&memory, ALL);
    }
    atomic_store(&ends, true);
    pthread_join(thread, NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shared memory");
    TCase *tests = tcase_create("shared memory");
    tcase_add_checked_fixture(tests, start, stop);
    tcase_set_timeout(tests, 3 * PATIENCE_SECONDS);
    tcase_add_test(tests, a_run_that_waits_goes_before_requests);
    tcase_add_test(tests, a_run_that_waits_no_more_keeps_no_request_out);
    tcase_add_test(tests, a_run_that_waits_is_told_of_room);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
