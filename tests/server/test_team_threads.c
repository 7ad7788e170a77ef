/* The threads that a run shares its work with: every part once, at the same time, from task to
 * task. */
#include <check.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server/base/team_threads.h"
#include "tests/support/suite.h"

enum { THREADS = 4, PARTS = 100, TASKS = 2000, NICE = 3 };

/* --- the threads that are started --- */

static size_t startable = SIZE_MAX; /* only this many more can be started */
static atomic_size_t running;       /* of those started */

struct beginning {
    void *(*begin)(void *);
    void *argument;
};

static void *run_counted(void *argument)
{
    struct beginning beginning = *(struct beginning *)argument;
    free(argument);
    void *end = beginning.begin(beginning.argument);
    atomic_fetch_sub(&running, 1);
    return end;
}

/* Stands in for the C library's function in all of this program. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *),
                   void *argument)
{
    int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    *(void **)&create = dlsym(RTLD_NEXT, "pthread_create");
    if (startable == 0)
        return EAGAIN;
    startable--;
    struct beginning *beginning = malloc(sizeof *beginning);
    *beginning = (struct beginning){begin, argument};
    atomic_fetch_add(&running, 1);
    return create(thread, attributes, run_counted, beginning);
}

/* --- parts --- */

static struct thread_team *create(unsigned count)
{
    struct thread_team *team = team_threads_create(count);
    ck_assert_ptr_nonnull(team);
    ck_assert_uint_eq(thread_team_size(team), count);
    return team;
}

struct counting {
    atomic_uint runs[PARTS];
    atomic_bool has_returned;
    atomic_bool is_late; /* a part ran after the task had returned */
};

static void count(void *work, size_t part)
{
    struct counting *counting = work;
    if (atomic_load(&counting->has_returned))
        atomic_store(&counting->is_late, true);
    atomic_fetch_add(&counting->runs[part], 1);
}

/* Straight to the team, which the core does not ask for fewer than two parts. */
static void expect_each_part_once(struct thread_team *team, size_t parts)
{
    struct counting counting = {0};
    team->run_parts(team->context, count, &counting, parts);
    atomic_store(&counting.has_returned, true);
    for (size_t part = 0; part < PARTS; part++)
        ck_assert_uint_eq(atomic_load(&counting.runs[part]), part < parts);
    ck_assert(!atomic_load(&counting.is_late));
}

START_TEST(every_part_runs_once_in_a_team_of_any_size)
{
    struct thread_team *team = create((unsigned)_i);
    for (size_t parts = 0; parts <= PARTS; parts++)
        expect_each_part_once(team, parts);
    team_threads_destroy(team);
}
END_TEST

START_TEST(a_team_serves_task_after_task)
{
    struct thread_team *team = create(THREADS);
    for (size_t task = 0; task < TASKS; task++)
        expect_each_part_once(team, 1 + task % THREADS);
    team_threads_destroy(team);
}
END_TEST

static void *lead(void *team)
{
    expect_each_part_once(team, PARTS);
    return NULL;
}

START_TEST(one_thread_after_another_may_use_a_team)
{
    struct thread_team *team = create(2);
    for (int i = 0; i < THREADS; i++) {
        pthread_t leader;
        ck_assert_int_eq(pthread_create(&leader, NULL, lead, team), 0);
        pthread_join(leader, NULL);
    }
    team_threads_destroy(team);
}
END_TEST

/* Which thread ran each part. */
static void note_thread(void *work, size_t part)
{
    ((pid_t *)work)[part] = gettid();
}

START_TEST(a_team_of_one_is_its_caller)
{
    pid_t threads[PARTS] = {0};
    struct thread_team *team = create(1);
    team->run_parts(team->context, note_thread, threads, PARTS);
    for (size_t part = 0; part < PARTS; part++)
        ck_assert_int_eq(threads[part], gettid());
    team_threads_destroy(team);
}
END_TEST

START_TEST(a_team_is_smaller_if_threads_cannot_be_started)
{
    for (unsigned can_start = 0; can_start < THREADS - 1; can_start++) {
        startable = can_start;
        struct thread_team *team = team_threads_create(THREADS);
        startable = SIZE_MAX;
        ck_assert_ptr_nonnull(team);
        ck_assert_uint_eq(thread_team_size(team), can_start + 1);
        expect_each_part_once(team, PARTS);
        team_threads_destroy(team);
    }
}
END_TEST

/* --- two at the same time --- */

/* Two parts that each wait for the other: they end only if two threads run them. */
struct meeting {
    pthread_barrier_t barrier;
    struct {
        pid_t thread;
        int nice, policy;
    } came[2];
};

static void meet(void *work, size_t part)
{
    struct meeting *meeting = work;
    meeting->came[part].thread = gettid();
    meeting->came[part].nice = getpriority(PRIO_PROCESS, 0); /* of this thread, on Linux */
    meeting->came[part].policy = sched_getscheduler(0);
    pthread_barrier_wait(&meeting->barrier);
}

static void hold_meeting(struct thread_team *team, struct meeting *meeting)
{
    *meeting = (struct meeting){0};
    pthread_barrier_init(&meeting->barrier, NULL, 2);
    thread_team_run(team, meet, meeting, 2);
    pthread_barrier_destroy(&meeting->barrier);
    ck_assert_int_ne(meeting->came[0].thread, meeting->came[1].thread);
}

/* The thread that came and is not this one. */
static pid_t helper_of(const struct meeting *meeting)
{
    return meeting->came[meeting->came[0].thread == gettid()].thread;
}

START_TEST(parts_run_at_the_same_time)
{
    struct meeting meeting;
    struct thread_team *team = create(2);
    for (int i = 0; i < PARTS; i++) {
        hold_meeting(team, &meeting);
        ck_assert(meeting.came[0].thread == gettid() || meeting.came[1].thread == gettid());
    }
    team_threads_destroy(team);
}
END_TEST

START_TEST(its_threads_inherit_the_scheduling)
{
    struct meeting meeting;
    const struct sched_param none = {0};
    const int nice = getpriority(PRIO_PROCESS, 0) + NICE;
    ck_assert_int_eq(sched_setscheduler(0, SCHED_BATCH, &none), 0);
    ck_assert_int_eq(setpriority(PRIO_PROCESS, 0, nice), 0);
    struct thread_team *team = create(2);
    hold_meeting(team, &meeting);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(meeting.came[i].nice, nice < 19 ? nice : 19);
        ck_assert_int_eq(meeting.came[i].policy, SCHED_BATCH);
    }
    team_threads_destroy(team);
}
END_TEST

/* --- threads that sleep --- */

/* Waits until this thread of the process sleeps. */
static void await_sleep(pid_t thread)
{
    char path[64], state = 0;
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)thread);
    while (state != 'S') {
        FILE *file = fopen(path, "r");
        if (file == NULL || fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
            return; /* it has ended, and the test fails */
        fclose(file);
        sched_yield();
    }
}

START_TEST(a_thread_that_sleeps_is_woken_for_a_task)
{
    struct meeting meeting;
    struct thread_team *team = create(2);
    hold_meeting(team, &meeting);
    for (int i = 0; i < PARTS; i++) {
        await_sleep(helper_of(&meeting));
        hold_meeting(team, &meeting);
    }
    team_threads_destroy(team);
}
END_TEST

/* A task whose part that is not the caller's ends only after the caller has gone to sleep. */
struct long_task {
    pid_t caller;
    atomic_size_t begun; /* parts */
    atomic_bool is_done;
};

static void outlast(void *work, size_t part)
{
    struct long_task *task = work;
    (void)part;
    atomic_fetch_add(&task->begun, 1);
    while (atomic_load(&task->begun) < 2)
        sched_yield();
    if (gettid() == task->caller)
        return;
    await_sleep(task->caller);
    atomic_store(&task->is_done, true);
}

START_TEST(a_caller_that_sleeps_is_woken_at_the_end)
{
    struct thread_team *team = create(2);
    for (int i = 0; i < PARTS; i++) {
        struct long_task task = {.caller = gettid()};
        thread_team_run(team, outlast, &task, 2);
        ck_assert(atomic_load(&task.is_done));
    }
    team_threads_destroy(team);
}
END_TEST

/* --- the end --- */

/* Whether they sleep, have just had a task, or have never had one. */
START_TEST(a_destroyed_team_leaves_no_thread)
{
    struct meeting meeting;
    for (int i = 0; i < PARTS; i++) {
        struct thread_team *team = create(2);
        ck_assert_uint_eq(atomic_load(&running), 1);
        if (i % 3 > 0)
            hold_meeting(team, &meeting);
        if (i % 3 > 1)
            await_sleep(helper_of(&meeting));
        team_threads_destroy(team);
        ck_assert_uint_eq(atomic_load(&running), 0);
    }
    team_threads_destroy(NULL);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("team");
    tcase_add_loop_test(tests, every_part_runs_once_in_a_team_of_any_size, 1, THREADS + 1);
    tcase_add_test(tests, a_team_serves_task_after_task);
    tcase_add_test(tests, one_thread_after_another_may_use_a_team);
    tcase_add_test(tests, a_team_of_one_is_its_caller);
    tcase_add_test(tests, a_team_is_smaller_if_threads_cannot_be_started);
    tcase_add_test(tests, parts_run_at_the_same_time);
    tcase_add_test(tests, its_threads_inherit_the_scheduling);
    tcase_add_test(tests, a_thread_that_sleeps_is_woken_for_a_task);
    tcase_add_test(tests, a_caller_that_sleeps_is_woken_at_the_end);
    tcase_add_test(tests, a_destroyed_team_leaves_no_thread);
    Suite *suite = suite_create("team threads");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
