/* The compute pool by itself: jobs, work that they share out, its bounded queue, and its end. */
#include <check.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "server/base/limits.h"
#include "server/base/thread_pool.h"
#include "tests/support/suite.h"

enum { THREADS = 4, PARTS = 100, JOBS = 40 };

/* A job that says when it runs, and ends when it may. */
struct held_job {
    struct thread_pool_job job; /* first */
    sem_t runs, may_end;
};

static void hold(struct thread_pool_job *job)
{
    struct held_job *held = (struct held_job *)(void *)job;
    sem_post(&held->runs);
    sem_wait(&held->may_end);
}

static void held_job_init(struct held_job *held)
{
    held->job = (struct thread_pool_job){.work = hold};
    sem_init(&held->runs, 0, 0);
    sem_init(&held->may_end, 0, 0);
}

/* A job that counts its runs. */
struct counted_job {
    struct thread_pool_job job; /* first */
    atomic_uint *all;
    atomic_uint runs;
};

static void count(struct thread_pool_job *job)
{
    struct counted_job *counted = (struct counted_job *)(void *)job;
    atomic_fetch_add(&counted->runs, 1);
    atomic_fetch_add(counted->all, 1);
}

static struct thread_pool *create(unsigned threads, unsigned queue_length)
{
    struct thread_pool *pool = thread_pool_create(threads, queue_length);
    ck_assert_ptr_nonnull(pool);
    return pool;
}

/* --- jobs --- */

struct submitter {
    pthread_t thread;
    struct thread_pool *pool;
    atomic_uint *all;
    struct counted_job jobs[JOBS];
};

static void *submit_all(void *argument)
{
    struct submitter *self = argument;
    for (size_t i = 0; i < JOBS; i++) {
        self->jobs[i] = (struct counted_job){.job.work = count, .all = self->all};
        while (!thread_pool_submit(self->pool, &self->jobs[i].job))
            ; /* as many wait as may */
    }
    return NULL;
}

START_TEST(every_job_runs_once_from_any_number_of_threads)
{
    struct submitter submitters[THREADS];
    atomic_uint all = 0;
    struct thread_pool *pool = create(3, 5);
    for (size_t i = 0; i < THREADS; i++) {
        submitters[i] = (struct submitter){.pool = pool, .all = &all};
        ck_assert_int_eq(pthread_create(&submitters[i].thread, NULL, submit_all, &submitters[i]),
                         0);
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(submitters[i].thread, NULL);
    thread_pool_destroy(pool);
    ck_assert_uint_eq(atomic_load(&all), THREADS * JOBS);
    for (size_t i = 0; i < THREADS; i++)
        for (size_t j = 0; j < JOBS; j++)
            ck_assert_uint_eq(atomic_load(&submitters[i].jobs[j].runs), 1);
}
END_TEST

/* Notes its place in the order of all. */
struct ordered_job {
    struct thread_pool_job job; /* first */
    unsigned *next, place;
};

static void take_place(struct thread_pool_job *job)
{
    struct ordered_job *ordered = (struct ordered_job *)(void *)job;
    ordered->place = (*ordered->next)++;
}

START_TEST(one_thread_runs_jobs_in_their_order)
{
    unsigned next = 0;
    struct ordered_job jobs[JOBS];
    struct thread_pool *pool = create(1, JOBS);
    for (size_t i = 0; i < JOBS; i++) {
        jobs[i] = (struct ordered_job){.job.work = take_place, .next = &next};
        ck_assert(thread_pool_submit(pool, &jobs[i].job));
    }
    thread_pool_destroy(pool);
    for (unsigned i = 0; i < JOBS; i++)
        ck_assert_uint_eq(jobs[i].place, i);
}
END_TEST

static void free_job(struct thread_pool_job *job)
{
    free(job);
}

START_TEST(a_job_may_free_itself)
{
    struct thread_pool *pool = create(2, JOBS);
    for (size_t i = 0; i < JOBS; i++) {
        struct thread_pool_job *job = calloc(1, sizeof *job);
        ck_assert_ptr_nonnull(job);
        job->work = free_job;
        ck_assert(thread_pool_submit(pool, job));
    }
    thread_pool_destroy(pool);
}
END_TEST

START_TEST(jobs_beyond_the_limit_do_not_wait)
{
    enum { LENGTH = 3 };
    struct held_job held;
    atomic_uint all = 0;
    struct counted_job jobs[LENGTH + 1];
    struct thread_pool *pool = create(1, LENGTH);
    held_job_init(&held);
    ck_assert(thread_pool_submit(pool, &held.job));
    sem_wait(&held.runs); /* it runs, so it waits no longer */
    for (size_t i = 0; i <= LENGTH; i++) {
        jobs[i] = (struct counted_job){.job.work = count, .all = &all};
        ck_assert_int_eq(thread_pool_submit(pool, &jobs[i].job), i < LENGTH);
    }
    sem_post(&held.may_end);
    thread_pool_destroy(pool);
    ck_assert_uint_eq(atomic_load(&all), LENGTH);
    ck_assert_uint_eq(atomic_load(&jobs[LENGTH].runs), 0);
}
END_TEST

/* While the pool is being destroyed, or before. */
static void *let_end(void *argument)
{
    struct held_job *held = argument;
    sem_post(&held->may_end);
    return NULL;
}

START_TEST(what_is_queued_is_run_before_the_end)
{
    pthread_t helper;
    struct held_job held;
    atomic_uint all = 0;
    struct counted_job jobs[JOBS];
    struct thread_pool *pool = create(1, JOBS);
    held_job_init(&held);
    ck_assert(thread_pool_submit(pool, &held.job));
    sem_wait(&held.runs);
    for (size_t i = 0; i < JOBS; i++) {
        jobs[i] = (struct counted_job){.job.work = count, .all = &all};
        ck_assert(thread_pool_submit(pool, &jobs[i].job));
    }
    ck_assert_int_eq(pthread_create(&helper, NULL, let_end, &held), 0);
    thread_pool_destroy(pool);
    pthread_join(helper, NULL);
    ck_assert_uint_eq(atomic_load(&all), JOBS);
}
END_TEST

START_TEST(a_closed_pool_has_run_all_and_takes_no_more)
{
    atomic_uint all = 0;
    struct counted_job first = {.job.work = count, .all = &all}, second = first;
    struct thread_pool *pool = create(2, JOBS);
    ck_assert(thread_pool_submit(pool, &first.job));
    thread_pool_close(pool);
    ck_assert_uint_eq(atomic_load(&all), 1);
    ck_assert(!thread_pool_submit(pool, &second.job));
    thread_pool_close(pool);
    thread_pool_destroy(pool);
    ck_assert_uint_eq(atomic_load(&all), 1);
}
END_TEST

START_TEST(a_pool_without_jobs_ends)
{
    thread_pool_destroy(create(THREADS, 1));
    thread_pool_destroy(NULL);
}
END_TEST

/* --- shared work --- */

struct sharing {
    struct thread_pool_job job; /* first */
    const struct thread_team *team;
    size_t inner_parts; /* 0: the parts share nothing out themselves */
    atomic_uint done[PARTS];
    atomic_uint inner_done;
    atomic_bool is_late; /* a part was run after the sharing had returned */
    atomic_bool returned;
};

static void count_inner(void *work, size_t part)
{
    struct sharing *sharing = work;
    (void)part;
    atomic_fetch_add(&sharing->inner_done, 1);
}

static void count_part(void *work, size_t part)
{
    struct sharing *sharing = work;
    if (atomic_load(&sharing->returned))
        atomic_store(&sharing->is_late, true);
    atomic_fetch_add(&sharing->done[part], 1);
    thread_team_run(sharing->team, count_inner, sharing, sharing->inner_parts);
}

static void share(struct thread_pool_job *job)
{
    struct sharing *sharing = (struct sharing *)(void *)job;
    thread_team_run(sharing->team, count_part, sharing, PARTS);
    atomic_store(&sharing->returned, true);
}

static void expect_shared(struct sharing *sharing)
{
    ck_assert(atomic_load(&sharing->returned));
    ck_assert(!atomic_load(&sharing->is_late));
    for (size_t part = 0; part < PARTS; part++)
        ck_assert_uint_eq(atomic_load(&sharing->done[part]), 1);
    ck_assert_uint_eq(atomic_load(&sharing->inner_done), PARTS * sharing->inner_parts);
}

static void share_at_once(unsigned threads, size_t inner_parts)
{
    static struct sharing jobs[JOBS];
    struct thread_pool *pool = create(threads, JOBS);
    for (size_t i = 0; i < JOBS; i++) {
        jobs[i] = (struct sharing){
            .job.work = share, .team = thread_pool_team(&jobs[i].job), .inner_parts = inner_parts};
        ck_assert(thread_pool_submit(pool, &jobs[i].job));
    }
    thread_pool_destroy(pool);
    for (size_t i = 0; i < JOBS; i++)
        expect_shared(&jobs[i]);
}

START_TEST(every_part_of_every_job_is_run_once)
{
    share_at_once((unsigned)_i, 0);
}
END_TEST

START_TEST(parts_may_share_out_work_themselves)
{
    share_at_once((unsigned)_i, 7);
}
END_TEST

/* Two parts that each wait for the other: they end only if two threads run them. */
struct meeting {
    struct thread_pool_job job; /* first */
    const struct thread_team *team;
    pthread_barrier_t barrier;
    sem_t arrived; /* parts */
    sem_t over;
};

static void meeting_init(struct meeting *meeting)
{
    *meeting = (struct meeting){.job.work = NULL, .team = thread_pool_team(&meeting->job)};
    pthread_barrier_init(&meeting->barrier, NULL, 2);
    sem_init(&meeting->arrived, 0, 0);
    sem_init(&meeting->over, 0, 0);
}

static void meet(void *work, size_t part)
{
    struct meeting *meeting = work;
    (void)part;
    sem_post(&meeting->arrived);
    pthread_barrier_wait(&meeting->barrier);
}

static void hold_meeting(struct thread_pool_job *job)
{
    struct meeting *meeting = (struct meeting *)(void *)job;
    thread_team_run(meeting->team, meet, meeting, 2);
    sem_post(&meeting->over);
}

START_TEST(a_thread_without_a_job_lends_a_hand)
{
    struct meeting meeting;
    struct thread_pool *pool = create(2, 1);
    meeting_init(&meeting);
    meeting.job.work = hold_meeting;
    ck_assert(thread_pool_submit(pool, &meeting.job));
    sem_wait(&meeting.over);
    thread_pool_destroy(pool);
}
END_TEST

/* Sees how many parts of the meeting have begun. */
struct witness {
    struct thread_pool_job job; /* first */
    struct meeting *meeting;
    bool came_after;
};

static void witness(struct thread_pool_job *job)
{
    struct witness *self = (struct witness *)(void *)job;
    self->came_after = sem_trywait(&self->meeting->arrived) == 0;
    if (!self->came_after)
        pthread_barrier_wait(&self->meeting->barrier); /* so that the test ends */
}

/* One thread is busy and the other in the meeting; then the first has the choice. */
START_TEST(parts_of_a_job_that_has_begun_go_before_jobs_that_wait)
{
    struct held_job first;
    struct meeting meeting;
    struct witness last = {.job.work = witness, .meeting = &meeting};
    struct thread_pool *pool = create(2, 3);
    meeting_init(&meeting);
    meeting.job.work = hold_meeting;
    held_job_init(&first);
    ck_assert(thread_pool_submit(pool, &first.job));
    sem_wait(&first.runs);
    ck_assert(thread_pool_submit(pool, &meeting.job));
    sem_wait(&meeting.arrived);
    ck_assert(thread_pool_submit(pool, &last.job));
    sem_post(&first.may_end);
    sem_wait(&meeting.over);
    thread_pool_destroy(pool);
    ck_assert(last.came_after);
}
END_TEST

/* --- long work --- */

enum { LONG = LIMIT_LONG_WORK + 1 };

static void ordered_job_init(struct ordered_job *ordered, uint64_t cost, uint64_t client,
                             unsigned *next)
{
    *ordered = (struct ordered_job){.job = {.work = take_place, .cost = cost, .client = client},
                                    .next = next};
}

/* A pool of one thread, which is busy until it may end. */
static struct thread_pool *create_held(struct held_job *held, unsigned queue_length)
{
    struct thread_pool *pool = create(1, queue_length);
    held_job_init(held);
    ck_assert(thread_pool_submit(pool, &held->job));
    sem_wait(&held->runs);
    return pool;
}

START_TEST(short_jobs_go_before_long_ones_but_not_for_ever)
{
    enum { IN_A_ROW = 8 };
    struct held_job held;
    unsigned next = 0;
    struct ordered_job jobs[JOBS];
    struct thread_pool *pool = create_held(&held, JOBS);
    for (unsigned i = 0; i < JOBS; i++) {
        ordered_job_init(&jobs[i], i == 0 ? LONG : LIMIT_LONG_WORK, 0, &next);
        ck_assert(thread_pool_submit(pool, &jobs[i].job));
    }
    sem_post(&held.may_end);
    thread_pool_destroy(pool);
    ck_assert_uint_ge(jobs[0].place, IN_A_ROW - 1); /* the held one was the first in the row */
    ck_assert_uint_le(jobs[0].place, IN_A_ROW);
    for (unsigned i = 1; i < JOBS; i++)
        ck_assert_uint_eq(jobs[i].place, i <= jobs[0].place ? i - 1 : i);
}
END_TEST

START_TEST(clients_take_turns)
{
    enum { ALICE = 4, BOB = 7, EACH = 5 };
    struct held_job held;
    unsigned next = 0;
    struct ordered_job alice[EACH], bob[2];
    const uint64_t cost = _i ? LONG : 1;
    struct thread_pool *pool = create_held(&held, JOBS);
    for (unsigned i = 0; i < EACH; i++) {
        ordered_job_init(&alice[i], cost, ALICE, &next);
        ck_assert(thread_pool_submit(pool, &alice[i].job));
    }
    for (unsigned i = 0; i < 2; i++) {
        ordered_job_init(&bob[i], cost, BOB, &next);
        ck_assert(thread_pool_submit(pool, &bob[i].job));
    }
    sem_post(&held.may_end);
    thread_pool_destroy(pool);
    ck_assert_uint_eq(bob[0].place, 1);
    ck_assert_uint_eq(bob[1].place, 3);
    static const unsigned places[EACH] = {0, 2, 4, 5, 6};
    for (unsigned i = 0; i < EACH; i++)
        ck_assert_uint_eq(alice[i].place, places[i]);
}
END_TEST

START_TEST(a_client_that_has_filled_its_places_leaves_as_many_to_others)
{
    enum { ALICE = 4, BOB, CAROL, PLACES = 2 };
    struct held_job held;
    unsigned next = 0;
    struct ordered_job alice[PLACES], bob[PLACES], other;
    struct thread_pool *pool = create_held(&held, PLACES);
    for (unsigned i = 0; i < PLACES; i++) {
        ordered_job_init(&alice[i], 1, ALICE, &next);
        ck_assert(thread_pool_submit(pool, &alice[i].job));
    }
    ordered_job_init(&other, 1, ALICE, &next);
    ck_assert(!thread_pool_submit(pool, &other.job));
    for (unsigned i = 0; i < PLACES; i++) {
        ordered_job_init(&bob[i], 1, BOB, &next);
        ck_assert(thread_pool_submit(pool, &bob[i].job));
    }
    ordered_job_init(&other, 1, CAROL, &next);
    ck_assert(!thread_pool_submit(pool, &other.job));
    sem_post(&held.may_end);
    thread_pool_destroy(pool);
    ck_assert_uint_eq(next, 2 * PLACES);
}
END_TEST

START_TEST(long_jobs_leave_a_thread_to_short_ones)
{
    struct held_job first, second, brief;
    struct thread_pool *pool = create(2, JOBS);
    held_job_init(&first);
    held_job_init(&second);
    held_job_init(&brief);
    first.job.cost = second.job.cost = LONG;
    ck_assert(thread_pool_submit(pool, &first.job));
    sem_wait(&first.runs);
    ck_assert(thread_pool_submit(pool, &second.job));
    ck_assert(thread_pool_submit(pool, &brief.job));
    sem_wait(&brief.runs);
    sem_post(&brief.may_end);
    ck_assert_int_ne(sem_trywait(&second.runs), 0);
    sem_post(&first.may_end);
    sem_wait(&second.runs);
    sem_post(&second.may_end);
    thread_pool_destroy(pool);
}
END_TEST

/* A long job in whose first part short jobs arrive. */
struct interrupted_job {
    struct thread_pool_job job; /* first */
    struct thread_pool *pool;
    struct ordered_job brief;
    unsigned next, places[PARTS];
    sem_t over;
};

static void interrupt_part(void *work, size_t part)
{
    struct interrupted_job *self = work;
    if (part == 0)
        ck_assert(thread_pool_submit(self->pool, &self->brief.job));
    self->places[part] = self->next++;
}

static void interrupt(struct thread_pool_job *job)
{
    struct interrupted_job *self = (struct interrupted_job *)(void *)job;
    thread_team_run(thread_pool_team(job), interrupt_part, self, PARTS);
    sem_post(&self->over);
}

START_TEST(a_long_job_gives_way_between_its_parts)
{
    struct interrupted_job job = {.job = {.work = interrupt, .cost = LONG}};
    ordered_job_init(&job.brief, 1, 0, &job.next);
    sem_init(&job.over, 0, 0);
    job.pool = create(1, JOBS);
    ck_assert(thread_pool_submit(job.pool, &job.job));
    sem_wait(&job.over); /* a closed pool takes no job */
    thread_pool_destroy(job.pool);
    ck_assert_uint_eq(job.places[0], 0);
    ck_assert_uint_eq(job.brief.place, 1);
    for (unsigned part = 1; part < PARTS; part++)
        ck_assert_uint_eq(job.places[part], part + 1);
}
END_TEST

/* Two parts of one long job, each long by itself: as a meeting, if two threads ran them. */
struct held_parts {
    struct thread_pool_job job; /* first */
    sem_t runs, may_end;
};

static void hold_part(void *work, size_t part)
{
    struct held_parts *self = work;
    (void)part;
    sem_post(&self->runs);
    sem_wait(&self->may_end);
}

static void hold_parts(struct thread_pool_job *job)
{
    thread_team_run(thread_pool_team(job), hold_part, job, 2);
}

START_TEST(long_parts_leave_a_thread_to_short_jobs)
{
    struct held_parts job = {.job = {.work = hold_parts, .cost = UINT64_C(3) * LONG}};
    struct held_job brief;
    struct thread_pool *pool = create(2, JOBS);
    sem_init(&job.runs, 0, 0);
    sem_init(&job.may_end, 0, 0);
    held_job_init(&brief);
    ck_assert(thread_pool_submit(pool, &job.job));
    sem_wait(&job.runs);
    ck_assert(thread_pool_submit(pool, &brief.job));
    sem_wait(&brief.runs);
    ck_assert_int_ne(sem_trywait(&job.runs), 0);
    sem_post(&brief.may_end);
    sem_post(&job.may_end);
    sem_post(&job.may_end);
    thread_pool_destroy(pool);
    ck_assert_int_eq(sem_trywait(&job.runs), 0);
}
END_TEST

START_TEST(work_beyond_the_limit_does_not_wait)
{
    enum { WAITING = LIMIT_WAITING_WORK / LIMIT_WORK };
    struct held_job held;
    unsigned next = 0;
    struct ordered_job jobs[WAITING + 2];
    struct thread_pool *pool = create_held(&held, JOBS);
    for (unsigned i = 0; i < WAITING + 2; i++) {
        ordered_job_init(&jobs[i], i <= WAITING ? LIMIT_WORK : 0, 0, &next);
        ck_assert_int_eq(thread_pool_submit(pool, &jobs[i].job), i != WAITING);
    }
    sem_post(&held.may_end);
    thread_pool_destroy(pool);
    ck_assert_uint_eq(next, WAITING + 1);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("pool");
    tcase_add_test(tests, every_job_runs_once_from_any_number_of_threads);
    tcase_add_test(tests, one_thread_runs_jobs_in_their_order);
    tcase_add_test(tests, a_job_may_free_itself);
    tcase_add_test(tests, jobs_beyond_the_limit_do_not_wait);
    tcase_add_test(tests, what_is_queued_is_run_before_the_end);
    tcase_add_test(tests, a_closed_pool_has_run_all_and_takes_no_more);
    tcase_add_test(tests, a_pool_without_jobs_ends);
    tcase_add_loop_test(tests, every_part_of_every_job_is_run_once, 1, THREADS + 1);
    tcase_add_loop_test(tests, parts_may_share_out_work_themselves, 1, THREADS + 1);
    tcase_add_test(tests, a_thread_without_a_job_lends_a_hand);
    tcase_add_test(tests, parts_of_a_job_that_has_begun_go_before_jobs_that_wait);
    tcase_add_test(tests, short_jobs_go_before_long_ones_but_not_for_ever);
    tcase_add_loop_test(tests, clients_take_turns, 0, 2);
    tcase_add_test(tests, a_client_that_has_filled_its_places_leaves_as_many_to_others);
    tcase_add_test(tests, long_jobs_leave_a_thread_to_short_ones);
    tcase_add_test(tests, a_long_job_gives_way_between_its_parts);
    tcase_add_test(tests, long_parts_leave_a_thread_to_short_jobs);
    tcase_add_test(tests, work_beyond_the_limit_does_not_wait);
    Suite *suite = suite_create("pool");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
