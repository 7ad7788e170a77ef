/* Numbers to and from JSON text, as bodies of requests and answers hold them: one array, read into
 * float32 and written from it, beside jansson doing the same (its tree of values is part of its
 * way) and beside a copy of the same bytes. All in turns, the best of several rounds; one core. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "server/base/decimal.h"
#include "server/json/writer.h"

enum { NUMBERS = 200000, ROUNDS = 9, LONGEST = 26 };

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct numbers {
    float *values; /* [NUMBERS] what is read and written */
    char *text;    /* the array as a client sends it */
    size_t size;
    char *copy; /* where memcpy goes to */
};

static double random_unit(void)
{
    static uint64_t state = 1;
    state = state * 6364136223846793005 + 1442695040888963407;
    return (double)(state >> 11) * 0x1p-53;
}

static void write_pixel(char *out)
{
    sprintf(out, "%d", (int)(random_unit() * 256));
}

static void write_float(char *out)
{
    sprintf(out, "%.9g", (double)(float)(random_unit() * 2 - 1));
}

static void write_double(char *out)
{
    sprintf(out, "%.17g", random_unit() * 2 - 1);
}

static void numbers_init(struct numbers *numbers, void (*write)(char *))
{
    *numbers = (struct numbers){
        .values = malloc(NUMBERS * sizeof(float)),
        .text = malloc(NUMBERS * LONGEST + 2),
        .copy = malloc(NUMBERS * LONGEST + 2),
    };
    if (numbers->values == NULL || numbers->text == NULL || numbers->copy == NULL)
        abort();
    numbers->text[numbers->size++] = '[';
    for (size_t i = 0; i < NUMBERS; i++) {
        write(numbers->text + numbers->size);
        numbers->size += strlen(numbers->text + numbers->size);
        numbers->text[numbers->size++] = i + 1 < NUMBERS ? ',' : ']';
    }
}

static void numbers_finish(struct numbers *numbers)
{
    free(numbers->values);
    free(numbers->text);
    free(numbers->copy);
}

/* --- what is measured: each goes through all numbers once, and returns the bytes of text --- */

static size_t copy_pass(struct numbers *numbers)
{
    memcpy(numbers->copy, numbers->text, numbers->size);
    return numbers->size;
}

static size_t read_pass(struct numbers *numbers)
{
    const char *at = numbers->text, *end = numbers->text + numbers->size;
    for (size_t i = 0; i < NUMBERS; i++) {
        double value;
        at = decimal_read(at + 1, end, &value);
        if (at == NULL)
            abort();
        numbers->values[i] = (float)value;
    }
    return numbers->size;
}

static size_t jansson_read_pass(struct numbers *numbers)
{
    json_t *array = json_loadb(numbers->text, numbers->size, JSON_DECODE_INT_AS_REAL, NULL);
    if (json_array_size(array) != NUMBERS)
        abort();
    for (size_t i = 0; i < NUMBERS; i++)
        numbers->values[i] = (float)json_real_value(json_array_get(array, i));
    json_decref(array);
    return numbers->size;
}

static size_t write_pass(struct numbers *numbers)
{
    struct buffer text = {0};
    json_write_float_array(&text, numbers->values, (size_t[]){NUMBERS}, 1);
    const size_t size = text.size;
    buffer_finish(&text);
    return size;
}

static size_t jansson_write_pass(struct numbers *numbers)
{
    json_t *array = json_array();
    for (size_t i = 0; i < NUMBERS; i++)
        json_array_append_new(array, json_real((double)numbers->values[i]));
    char *text = json_dumps(array, JSON_COMPACT | JSON_REAL_PRECISION(9));
    const size_t size = text != NULL ? strlen(text) : 0;
    free(text);
    json_decref(array);
    return size;
}

/* --- the table --- */

static const struct way {
    const char *name;
    size_t (*pass)(struct numbers *);
} ways[] = {
    {"memcpy", copy_pass},
    {"read", read_pass},
    {"read, jansson", jansson_read_pass},
    {"write", write_pass},
    {"write, jansson", jansson_write_pass},
};

enum { WAYS = sizeof ways / sizeof *ways };

static void measure(const char *kind, void (*write)(char *))
{
    struct numbers numbers;
    double fastest[WAYS];
    size_t size[WAYS];
    numbers_init(&numbers, write);
    for (int round = 0; round < ROUNDS; round++)
        for (size_t way = 0; way < WAYS; way++) {
            const double begin = seconds();
            size[way] = ways[way].pass(&numbers);
            const double time = seconds() - begin;
            fastest[way] = round == 0 ? time : fmin(fastest[way], time);
        }
    printf("%-34s  million/s      GB/s\n", kind);
    for (size_t way = 0; way < WAYS; way++)
        printf("%-34s %10.2f %9.3f\n", ways[way].name, NUMBERS / fastest[way] / 1e6,
               (double)size[way] / fastest[way] / 1e9);
    fflush(stdout);
    numbers_finish(&numbers);
}

int main(void)
{
    measure("pixels, 0 to 255", write_pixel);
    measure("float32 in %.9g, -1 to 1", write_float);
    measure("double in %.17g, -1 to 1", write_double);
    return EXIT_SUCCESS;
}
