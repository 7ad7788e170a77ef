#include "core/dropout.h"

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

struct dropout_stream dropout_stream_of(uint32_t seed, size_t epoch, size_t sample)
{
    return (struct dropout_stream){mix(mix(mix(seed + 1) + epoch) + sample)};
}

uint32_t dropout_draw(struct dropout_stream *stream)
{
    stream->state += 0x9e3779b97f4a7c15u;
    return (uint32_t)(mix(stream->state) >> 32);
}

void dropout_apply(struct pattern *pattern, double rate, struct dropout_stream *stream)
{
    const uint64_t lowest_kept = (uint64_t)(rate * 4294967296.0);
    size_t kept = 0;
    if (rate <= 0)
        return;
    for (size_t s = 0; s < pattern->count; s++) {
        const uint32_t afferent = pattern->afferent[s];
        const float time = pattern->time[s];
        pattern->afferent[kept] = afferent;
        pattern->time[kept] = time;
        kept += dropout_draw(stream) >= lowest_kept;
    }
    pattern->count = kept;
}
