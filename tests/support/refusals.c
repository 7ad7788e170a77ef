#include "tests/support/refusals.h"

#include <check.h>

#include "tests/support/client.h"
#include "tests/support/fixture.h"

void refusals_start(void)
{
    fixture_start(FLAGS("--max-body", "65536"));
    create_plain_model(&server, "plain");
    create_model_of_text(
        &server, "{\"id\": \"named\", \"encoder\": {\"type\": \"gaussian_tuning\", \"m\": 4,"
                 " \"x_min\": [0], \"x_max\": [1]}, \"out_features\": 2, \"labels\": [\"low\", "
                 "\"high\"]}");
    create_model_of_text(
        &server, "{\"id\": \"long\", \"in_features\": 1, \"out_features\": 100, \"T\": 100000}");
    struct http_answer run =
        http_send(&server, "POST", "/models/plain/train", "{" PLAIN_SAMPLES ", \"epochs\": 1}",
                  "Prefer: wait=20", NULL);
    ck_assert_msg(run.status == 200, "%s", run.body);
    ck_assert_int_eq(member_integer(run.json, "id"), 1);
    http_answer_finish(&run);
}

void expect_refusal_row(const struct refusal *row)
{
    expect_refused(row->method, row->path, row->body, row->status, row->code, row->names);
}
