#include "core/byte_table.h"

#include <assert.h>
#include <string.h>

#include "core/background.h"
#include "core/simd.h"

/* Features by their ranges: representatives[range] is one that has it. */
struct ranges {
    size_t count;
    size_t representatives[BYTE_TABLE_RANGES];
};

/* The range of a feature, noted if it is new; BYTE_TABLE_RANGES: there is no room. */
static size_t range_of(const struct encoder *encoder, size_t feature, struct ranges *ranges)
{
    const float *x_min = encoder_x_min(encoder), *x_max = encoder_x_max(encoder);
    for (size_t r = 0; r < ranges->count; r++) {
        const size_t other = ranges->representatives[r];
        if (x_min[other] == x_min[feature] && x_max[other] == x_max[feature])
            return r;
    }
    if (ranges->count == BYTE_TABLE_RANGES)
        return BYTE_TABLE_RANGES;
    ranges->representatives[ranges->count] = feature;
    return ranges->count++;
}

bool byte_table_fits(const struct encoder *encoder)
{
    const size_t n = encoder_features(encoder);
    struct ranges ranges = {0};
    for (size_t i = 0; i < n; i++)
        if (range_of(encoder, i, &ranges) == BYTE_TABLE_RANGES)
            return false;
    return ranges.count * BYTE_TABLE_SHARE <= n;
}

static struct byte_code code_of(const float *times, size_t m, float last)
{
    struct byte_code code = {0};
    for (size_t j = 0; j < m; j++) {
        if (times[j] < 0)
            continue;
        code.fired = true;
        if (times[j] > last)
            continue;
        if (code.count == 0)
            code.first = (uint32_t)j;
        assert(code.count < PATTERN_SLACK && j == code.first + code.count);
        code.time[code.count++] = times[j];
    }
    return code;
}

void byte_table_init(struct byte_table *table, const struct encoder *encoder, float last,
                     struct arena *arena)
{
    const size_t n = encoder_features(encoder), m = encoder_neurons(encoder);
    struct ranges ranges = {0};
    float *times = arena_place(arena, m, sizeof *times);
    uint32_t *range = arena_place(arena, n, sizeof *range);
    for (size_t i = 0; range != NULL && i < n; i++)
        range[i] = (uint32_t)range_of(encoder, i, &ranges);
    *table = (struct byte_table){
        .n = n,
        .m = m,
        .last = last,
        .ranges = ranges.count,
        .range = range,
        .codes = arena_place(arena, ranges.count, sizeof *table->codes),
    };
    for (size_t r = 0; table->codes != NULL && r < ranges.count; r++) {
        for (size_t value = 0; value < 256; value++) {
            encoder_encode_value(encoder, ranges.representatives[r], (float)value, times);
            table->codes[r][value] = code_of(times, m, last);
        }
    }
}

size_t byte_table_bytes(const struct byte_table *table)
{
    return table->n * sizeof *table->range + table->ranges * sizeof *table->codes;
}

/* Blocks are as long as is worth looking at before giving up. */
enum { CONVERTED = 256 };

VECTORIZED static bool convert_block(const float *values, size_t count, uint8_t *bytes)
{
    int32_t misfits = 0;
    for (size_t i = 0; i < count; i++) {
        const float low = values[i] > 0 ? values[i] : 0;
        const int32_t whole = (int32_t)(low < 255 ? low : 255);
        misfits |= (float)whole != values[i];
        bytes[i] = (uint8_t)whole;
    }
    return misfits == 0;
}

/* Block by block, whose bytes end before the next block begins. With `writes` false they are only
 * looked at. */
static bool convert(float *values, size_t count, bool writes)
{
    uint8_t bytes[CONVERTED];
    for (size_t i = 0; i < count; i += CONVERTED) {
        const size_t of_block = count - i < CONVERTED ? count - i : CONVERTED;
        if (!convert_block(values + i, of_block, bytes))
            return false;
        if (writes)
            memcpy((uint8_t *)values + i, bytes, of_block);
    }
    return true;
}

bool byte_table_convert(float *values, size_t count)
{
    return convert(values, count, false) && convert(values, count, true);
}

/* Copies a whole code, and counts what of it is spikes. */
INLINED void add_features(const struct byte_table *table, const uint8_t *x, size_t begin,
                          size_t end, struct pattern *pattern)
{
    _Static_assert((int)PATTERN_SLACK == (int)LANES, "a code is copied as one vector");
    const int_lanes upwards = {0, 1, 2, 3, 4, 5, 6, 7};
    uint32_t *restrict afferent = pattern->afferent;
    float *restrict time = pattern->time;
    size_t count = pattern->count;
    bool fired = pattern->fired;
    for (size_t i = begin; i < end; i++) {
        const struct byte_code *code = &table->codes[table->range[i]][x[i]];
        const int_lanes neurons = (int32_t)(i * table->m + code->first) + upwards;
        memcpy(afferent + count, &neurons, sizeof neurons);
        memcpy(time + count, code->time, sizeof code->time);
        count += code->count;
        fired |= code->fired;
    }
    pattern->count = count;
    pattern->fired = fired;
}

VECTORIZED void byte_table_encode(const struct byte_table *table,
                                  const struct background *background, const uint8_t *x,
                                  struct pattern *pattern)
{
    size_t i = 0;
    pattern_clear(pattern);
    pattern->background = background;
    for (size_t block = 0; background != NULL && block < background->blocks;
         block++, i += BACKGROUND_BLOCK) {
        if (background_holds(x + i)) {
            pattern->background_blocks[pattern->background_count++] = (uint32_t)block;
            pattern->fired |= background->fires[block];
        } else {
            add_features(table, x, i, i + BACKGROUND_BLOCK, pattern);
        }
    }
    add_features(table, x, i, table->n, pattern);
}
