/* Any bytes as a number: it is read as strtod() reads it, bit for bit, and what is written of it
 * reads back as the same. */
#include <math.h>
#include <string.h>

#include "server/base/decimal.h"
#include "tests/fuzz/fuzz.h"

enum { TEXT = 512 };

static void demand_equal(double one, double other)
{
    demand(memcmp(&one, &other, sizeof one) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TEXT + 1], out[DECIMAL_TEXT + 1];
    double value = -7;
    if (size > TEXT)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    const char *behind = decimal_read(text, text + size, &value);
    if (behind == NULL) {
        demand_equal(value, -7);
        return 0;
    }
    demand(behind > text && behind < text + size && isfinite(value));
    char *strtod_behind;
    text[behind - text] = '\0';
    demand_equal(value, strtod(text, &strtod_behind));
    demand(strtod_behind == behind);
    out[decimal_write_double(value, out)] = '\0';
    demand_equal(strtod(out, NULL), value);
    if (isfinite((float)value)) {
        out[decimal_write_float((float)value, out)] = '\0';
        demand_equal((double)strtof(out, NULL), (double)(float)value);
    }
    return 0;
}
