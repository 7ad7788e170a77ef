/* How large a model may be: each product of its sizes, at its limit and one beyond. */
#include <check.h>

#include "server/model/config.h"
#include "tests/support/suite.h"

#define LAYER(in, out, t)                                                                          \
    .network.tempotron = {.in_features = (in), .out_features = (out), .T = (t)}
#define CLASSES_OF(neurons)                                                                        \
    .network.read_out = {.kind = READ_OUT_V_MAX, .v_max.neurons_per_class = (neurons)}
#define COUNTING(max)                                                                              \
    .network.read_out = {.kind = READ_OUT_SPIKE_COUNT, .spike_count.max_spikes = (max)}
#define ENCODED(features, neurons)                                                                 \
    .encoder = {.type = ENCODER_GAUSSIAN_TUNING,                                                   \
                .gaussian_tuning = {.ranges.n = (features), .m = (neurons)}}

/* LIMIT_WEIGHTS and LIMIT_VOLTAGES are 4096 * 4096, or 24929 * 673 - 1; LIMIT_ANSWER is 1024 *
 * 4096, or 5 * 838861 - 1; LIMIT_IN_FEATURES is 1000 * 1000, or 101 * 9901 - 1. */
static const struct {
    struct model_config config;
    const char *pointer, *detail; /* NULL: it is not too large */
} sizes[] = {
    {{LAYER(4096, 4096, 1), CLASSES_OF(1)}, NULL, NULL},
    {{LAYER(24929, 673, 1), CLASSES_OF(1)},
     "/out_features",
     "in_features * out_features * neurons_per_class must be at most 16777216."},
    {{LAYER(4096, 4098, 1), CLASSES_OF(2)},
     "/neurons_per_class",
     "in_features * out_features * neurons_per_class must be at most 16777216."},
    {{LAYER(4095, 1, 1), CLASSES_OF(1), .network.hidden_count = 1, .network.hidden = {4096}},
     NULL,
     NULL},
    {{LAYER(4095, 2, 1), CLASSES_OF(1), .network.hidden_count = 1, .network.hidden = {4096}},
     "/hidden",
     "The number of weights of all layers must be at most 16777216."},

    {{LAYER(1, 4096, 4096), CLASSES_OF(1)}, NULL, NULL},
    {{LAYER(1, 673, 24929), CLASSES_OF(1)},
     "/T",
     "T * out_features * neurons_per_class must be at most 16777216."},
    {{LAYER(1, 1, 4096), CLASSES_OF(1), .network.hidden_count = 3, .network.hidden = {1, 4096, 1}},
     NULL,
     NULL},
    {{LAYER(1, 1, 4097), CLASSES_OF(1), .network.hidden_count = 3, .network.hidden = {1, 4096, 1}},
     "/T",
     "T * the neurons of the widest layer must be at most 16777216."},

    {{LAYER(1, 4096, 1), COUNTING(1024)}, NULL, NULL},
    {{LAYER(1, 838861, 1), COUNTING(5)},
     "/max_spikes",
     "max_spikes * out_features must be at most 4194304."},

    {{LAYER(1, 1, 1), CLASSES_OF(1), .has_encoder = true, ENCODED(1000, 1000)}, NULL, NULL},
    {{LAYER(1, 1, 1), CLASSES_OF(1), .has_encoder = true, ENCODED(101, 9901)},
     "/encoder",
     "The number of the encoder's neurons must be at most 1000000."},
    {{LAYER(1, 1, 1), CLASSES_OF(1), ENCODED(1000, 1001)}, NULL, NULL},
};

START_TEST(a_product_of_sizes_beyond_its_limit_is_named)
{
    struct problem problem = {0};
    model_config_check_sizes(&sizes[_i].config, &problem);
    ck_assert_uint_eq(problem.field_count, sizes[_i].pointer != NULL);
    if (sizes[_i].pointer == NULL)
        return;
    ck_assert_int_eq(problem.fields[0].code, PROBLEM_TOO_LARGE);
    ck_assert_str_eq(problem.fields[0].pointer, sizes[_i].pointer);
    ck_assert_str_eq(problem.fields[0].detail, sizes[_i].detail);
}
END_TEST

START_TEST(every_product_that_is_too_large_is_named)
{
    static const char *const pointers[] = {"/encoder", "/max_spikes", "/out_features", "/T"};
    static const struct model_config config = {LAYER(4096, 4097, 4097), COUNTING(1024),
                                               .has_encoder = true, ENCODED(1000, 1001)};
    struct problem problem = {0};
    model_config_check_sizes(&config, &problem);
    ck_assert_uint_eq(problem.field_count, ROWS(pointers));
    for (int i = 0; i < ROWS(pointers); i++)
        ck_assert_str_eq(problem.fields[i].pointer, pointers[i]);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("config");
    tcase_add_loop_test(tests, a_product_of_sizes_beyond_its_limit_is_named, 0, ROWS(sizes));
    tcase_add_test(tests, every_product_that_is_too_large_is_named);
    Suite *suite = suite_create("config");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
