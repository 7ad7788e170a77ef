#include "tests/support/bodies.h"

#include <check.h>

#include "tests/support/client.h"
#include "tests/support/fixture.h"

const double body_numbers[6] = {0, 100, 127, 7, 3, 50};

void bodies_start(void)
{
    fixture_start(FLAGS("--max-body", "1048576", "--log", "errors"));
    create_model_of_text(
        &server, "{\"id\": \"tuned\", \"encoder\": {\"type\": \"gaussian_tuning\", \"m\": 4, "
                 "\"x_min\": [0, 0], \"x_max\": [255, 100]}, \"out_features\": 3, \"T\": 50, "
                 "\"seed\": 1}");
    create_model_of_text(&server,
                         "{\"id\": \"plain\", \"in_features\": 2, \"out_features\": 2, \"T\": 20}");
}

struct http_answer post_text(const struct service *service, const char *path, const char *body)
{
    struct http_answer answer = http_send(service, "POST", path, body, NULL);
    ck_assert_msg(answer.status == 200, "%s: %ld %s", path, answer.status, answer.body);
    return answer;
}

void expect_equal_bodies(struct http_answer expected, struct http_answer found)
{
    ck_assert_msg(found.status == 200, "%ld %s", found.status, found.body);
    ck_assert_str_eq(found.body, expected.body);
    http_answer_finish(&expected);
    http_answer_finish(&found);
}
