#include "explanation.h"

#include <math.h>
#include <string.h>

#include "psp_kernel.h"

/* Keeps it where it belongs among those before it, if it does. */
static size_t insert(struct contribution *contributions, size_t count, size_t most,
                     struct contribution contribution)
{
    size_t at = count;
    while (at > 0 && fabs(contributions[at - 1].potential) < fabs(contribution.potential))
        at--;
    if (at == most)
        return count;
    const size_t kept = count < most ? count : most - 1;
    memmove(contributions + at + 1, contributions + at, (kept - at) * sizeof *contributions);
    contributions[at] = contribution;
    return kept + 1;
}

size_t tempotron_explain(const struct tempotron *tempotron, const struct pattern *pattern,
                         size_t output, double t_max, struct contribution *contributions,
                         size_t most)
{
    size_t count = 0;
    for (size_t s = 0; s < pattern->count;) {
        struct contribution contribution = {.afferent = pattern->afferent[s]};
        const float weight = tempotron->weight[contribution.afferent * tempotron->stride + output];
        for (; s < pattern->count && pattern->afferent[s] == contribution.afferent; s++)
            contribution.potential +=
                (double)weight * psp_value(&tempotron->psp, t_max - (double)pattern->time[s]);
        if (contribution.potential != 0)
            count = insert(contributions, count, most, contribution);
    }
    return count;
}
