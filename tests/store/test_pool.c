/* The pool: one writer and readers for threads, and whether the disk works. */
#include <check.h>

#include "server/store/pool.h"
#include "tests/support/stored.h"
#include "tests/support/suite.h"

static void expect_model(struct store *from)
{
    struct store *writer = store;
    store = from;
    expect_weight("iris", 1, six);
    store = writer;
}

START_TEST(the_pool_lends_one_writer_and_readers)
{
    struct store_pool *pool = NULL, *second = NULL;
    struct store *first, *other, *again;
    store_shut();
    ck_assert_int_eq(store_pool_create(store_path, &pool), STORE_OK);
    ck_assert_int_eq(store_pool_create(store_path, &second), STORE_LOCKED);
    ck_assert_ptr_null(second);
    store = store_pool_borrow_writer(pool);
    insert_model("iris");
    store = NULL;
    ck_assert_int_eq(store_pool_borrow_reader(pool, &first), STORE_OK);
    ck_assert_int_eq(store_pool_borrow_reader(pool, &other), STORE_OK);
    expect_model(first);
    expect_model(other);
    store_pool_return_reader(pool, first);
    ck_assert_int_eq(store_pool_borrow_reader(pool, &again), STORE_OK);
    ck_assert_ptr_eq(again, first);
    store_pool_return_reader(pool, again);
    store_pool_return_reader(pool, other);
    store_pool_return_writer(pool, STORE_OK);
    store_pool_destroy(pool);
    store_pool_destroy(NULL);
    store_reopen();
    expect_model(store);
}
END_TEST

START_TEST(the_pool_is_broken_until_a_write_succeeds)
{
    const enum store_status breaking[] = {STORE_FULL, STORE_UNAVAILABLE, STORE_CORRUPT};
    struct store_pool *pool;
    store_shut();
    ck_assert_int_eq(store_pool_create(store_path, &pool), STORE_OK);
    for (int i = 0; i < 3; i++) {
        ck_assert(!store_pool_is_broken(pool));
        store_pool_borrow_writer(pool);
        store_pool_return_writer(pool, breaking[i]);
        store_pool_borrow_writer(pool); /* so that the pool can't try a write */
        ck_assert(store_pool_is_broken(pool));
        store_pool_return_writer(pool, STORE_NOT_FOUND);
        store_pool_borrow_writer(pool);
        ck_assert(store_pool_is_broken(pool));
        store_pool_return_writer(pool, i % 2 == 0 ? STORE_OK : STORE_NOT_FOUND);
    }
    store_pool_destroy(pool);
}
END_TEST

START_TEST(damaged_pages_are_not_forgotten)
{
    struct store_pool *pool;
    store_shut();
    ck_assert_int_eq(store_pool_create(store_path, &pool), STORE_OK);
    ck_assert(!store_pool_is_damaged(pool));
    store_pool_borrow_writer(pool);
    store_pool_return_writer(pool, STORE_BROKEN);
    ck_assert(store_pool_is_damaged(pool));
    store_pool_borrow_writer(pool);
    store_pool_return_writer(pool, STORE_OK);
    ck_assert(store_pool_is_damaged(pool));
    store_pool_destroy(pool);
}
END_TEST

START_TEST(a_pool_in_doubt_tries_a_write)
{
    struct store_pool *pool;
    store_shut();
    ck_assert_int_eq(store_pool_create(store_path, &pool), STORE_OK);
    store_pool_borrow_writer(pool); /* so that the pool can't try */
    store_pool_doubt(pool);
    ck_assert(store_pool_is_broken(pool));
    store_pool_return_writer(pool, STORE_NOT_FOUND);
    ck_assert(!store_pool_is_broken(pool));
    store_pool_destroy(pool);
}
END_TEST

START_TEST(a_stop_ends_a_sweep_and_the_next_start_goes_on)
{
    struct store_pool *pool;
    insert_model("a");
    insert_model("b");
    ck_assert_int_eq(store_model_delete(store, "a"), STORE_OK);
    ck_assert_int_eq(store_model_delete(store, "b"), STORE_OK);
    store_shut();
    ck_assert_int_eq(store_pool_create(store_path, &pool), STORE_OK);
    store_pool_interrupt(pool);
    store_pool_sweep(pool);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM versions"), 1);
    store_pool_destroy(pool);
    ck_assert_int_eq(store_pool_create(store_path, &pool), STORE_OK);
    store_pool_sweep(pool);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM versions"), 0);
    ck_assert_int_eq(ask_sql("SELECT count(*) FROM removed_models"), 0);
    store_pool_destroy(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store pool");
    TCase *tests = suite_case(suite, "pool", store_set_up, store_tear_down, 30);
    tcase_add_test(tests, the_pool_lends_one_writer_and_readers);
    tcase_add_test(tests, the_pool_is_broken_until_a_write_succeeds);
    tcase_add_test(tests, damaged_pages_are_not_forgotten);
    tcase_add_test(tests, a_pool_in_doubt_tries_a_write);
    tcase_add_test(tests, a_stop_ends_a_sweep_and_the_next_start_goes_on);
    return suite_run(suite);
}
