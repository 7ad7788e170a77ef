/* The budgets of bodies in progress, in memory and in files: a request beyond them is answered 503
 * and may be tried again, and what a request held is given back when it ends or its client goes. A
 * small body is accepted whatever others hold. */
#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/descriptors.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/suite.h"
#include "tests/support/wire.h"

/* LIMIT_SMALL_BODY bytes of each are not counted: five uploads are all that may be in progress. */
enum { BODY = 60000, UPLOAD = 65536, MIDDLE = 40000, SMALL = 16384, UPLOADS = 5 };

static void start(void)
{
    fixture_start(FLAGS("--max-body", "64K", "--max-bodies", "64K", "--max-dataset", "64K"));
}

/* `size` bytes that are blanks and a request of /psp_kernel; free(). */
static char *padded_body(size_t size)
{
    static const char json[] = "{\"t\": [0]}";
    char *body = malloc(size + 1);
    ck_assert_ptr_nonnull(body);
    memset(body, ' ', size);
    strcpy(body + size - (sizeof json - 1), json);
    return body;
}

static int begin(const char *request, const char *body)
{
    char lines[256];
    const int connection = http_connect(&server);
    snprintf(lines, sizeof lines, "%s HTTP/1.1\r\nHost: localhost\r\n", request);
    wire_begin(connection, lines, body);
    return connection;
}

static bool is_overloaded(const char *method, const char *path, const char *body)
{
    struct http_answer answer = http_send(&server, method, path, body, NULL);
    const bool overloaded = answer.status == 503;
    if (overloaded) {
        expect_problem(&answer, 503, "overloaded");
        ck_assert_str_eq(http_header(&answer, "retry-after"), "1");
    }
    http_answer_finish(&answer);
    return overloaded;
}

enum { ASK_AGAIN_MS = 2 };

/* No event tells when the bytes of another request have been read. */
static void await_room(const char *method, const char *path, const char *body)
{
    for (int waited = 0; is_overloaded(method, path, body); waited += ASK_AGAIN_MS) {
        ck_assert_int_lt(waited, service_patience());
        poll(NULL, 0, ASK_AGAIN_MS);
    }
}

/* A request whose last byte is missing, and beside which a middling one is refused. If that came in
 * between, the large one may be refused: then both are begun again. */
static int hold(const char *large, const char *middle)
{
    for (;;) {
        const int connection = begin("POST /psp_kernel", large);
        for (int waited = 0; waited < service_patience() / 8; waited += ASK_AGAIN_MS) {
            if (is_overloaded("POST", "/psp_kernel", middle))
                return connection;
            poll(NULL, 0, ASK_AGAIN_MS);
        }
        ck_assert_int_ne(wire_end(connection, large), 200); /* it may be cut off */
    }
}

START_TEST(bodies_in_memory_have_a_budget_that_is_given_back)
{
    char *large = padded_body(BODY), *middle = padded_body(MIDDLE), *small = padded_body(SMALL);
    ck_assert(!is_overloaded("POST", "/psp_kernel", middle));
    int connection = hold(large, middle);
    json_decref(http_get(&server, "/models")); /* a request without a body needs none of it */
    ck_assert(!is_overloaded("POST", "/psp_kernel", small));
    ck_assert_int_eq(wire_end(connection, large), 200);
    await_room("POST", "/psp_kernel", middle);

    connection = hold(large, middle);
    close(connection);
    await_room("POST", "/psp_kernel", middle);
    ck_assert(!is_overloaded("POST", "/psp_kernel", large)); /* all of it is there again */
    free(small);
    free(middle);
    free(large);
}
END_TEST

/* The status of a compressed request of /psp_kernel without the last `cut` bytes; takes the body.
 */
static long send_packed(struct bytes plain, size_t cut)
{
    struct bytes packed = bytes_gzipped(&plain);
    packed.size -= cut;
    struct http_answer answer =
        http_send_bytes(&server, "POST", "/psp_kernel", &packed, "Content-Encoding: gzip", NULL);
    const long status = answer.status;
    http_answer_finish(&answer);
    bytes_finish(&packed);
    bytes_finish(&plain);
    return status;
}

static struct bytes noise(size_t size)
{
    uint32_t state = 1;
    struct bytes bytes = {0};
    while (bytes.size < size) {
        const uint32_t number = next_random(&state);
        bytes_add(&bytes, &number, sizeof number);
    }
    return bytes;
}

START_TEST(a_compressed_body_takes_of_the_budget_what_comes_and_what_it_becomes)
{
    enum { TIMES = 8, NOISE = 30000 }; /* if one kept what it took, these would take all */
    char *large = padded_body(BODY), *middle = padded_body(MIDDLE), *small = padded_body(SMALL);
    const int connection = hold(large, middle);
    ck_assert_int_eq(send_packed(bytes_of(middle, MIDDLE), 0), 503);
    ck_assert_int_eq(send_packed(noise(MIDDLE), 0), 503);
    ck_assert_int_eq(send_packed(bytes_of(small, SMALL), 0), 200);
    ck_assert_int_eq(wire_end(connection, large), 200);
    await_room("POST", "/psp_kernel", large);
    for (int i = 0; i < TIMES; i++) {
        ck_assert_int_eq(send_packed(bytes_of(large, BODY), 0), 200);
        ck_assert_int_eq(send_packed(bytes_of(large, BODY), 1), 400);
        ck_assert_int_eq(send_packed(noise(NOISE), 0), 400);
        ck_assert_int_eq(send_packed(noise(NOISE), 1), 400);
    }
    await_room("POST", "/psp_kernel", large);
    free(small);
    free(middle);
    free(large);
}
END_TEST

/* Uploads whose last byte is missing. */
static void hold_uploads(int uploads[], const char *large)
{
    for (int i = 0; i < UPLOADS; i++)
        uploads[i] = begin("PUT /datasets/d", large);
    descriptors_await_bytes(&server, UPLOADS * (UPLOAD - 1));
}

START_TEST(uploads_have_a_budget_that_is_given_back)
{
    int uploads[UPLOADS];
    char *large = padded_body(UPLOAD), *middle = padded_body(MIDDLE), *small = padded_body(SMALL);
    hold_uploads(uploads, large);
    ck_assert(is_overloaded("PUT", "/datasets/d", middle));
    ck_assert(!is_overloaded("PUT", "/datasets/d", small));
    ck_assert_int_eq(wire_end(uploads[0], large), 422); /* it is no table; but it was read whole */
    await_room("PUT", "/datasets/d", middle);
    for (int i = 1; i < UPLOADS; i++)
        close(uploads[i]);

    descriptors_await_bytes(&server, 0);
    hold_uploads(uploads, large);
    ck_assert(is_overloaded("PUT", "/datasets/d", middle));
    for (int i = 0; i < UPLOADS; i++)
        ck_assert_int_eq(wire_end(uploads[i], large), 422);
    await_room("PUT", "/datasets/d", middle);
    free(small);
    free(middle);
    free(large);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("budgets");
    TCase *tests = fixture_case(suite, "budgets", start);
    tcase_add_test(tests, bodies_in_memory_have_a_budget_that_is_given_back);
    tcase_add_test(tests, a_compressed_body_takes_of_the_budget_what_comes_and_what_it_becomes);
    tcase_add_test(tests, uploads_have_a_budget_that_is_given_back);
    return suite_run(suite);
}
