#include "core/schedule.h"

#include "core/exponential.h"

/* cos(pi x) for 0 <= x <= 1/2: Taylor's polynomial of degree 20. */
static double cosine(double x)
{
    static const double pi = 3.141592653589793;
    const double square = pi * x * pi * x;
    double sum = 1;
    for (int n = 20; n > 0; n -= 2)
        sum = 1 - square / (n * (n - 1)) * sum;
    return sum;
}

double schedule_rate(const struct schedule *schedule, size_t epoch, size_t step, size_t steps)
{
    double rate = schedule->learning_rate;
    const double x = (double)step / (double)steps;
    switch (schedule->type) {
    case SCHEDULE_CONSTANT:
        break;
    case SCHEDULE_EXPONENTIAL:
        rate *= exp_nonpositive((double)epoch * logarithm(schedule->decay));
        break;
    case SCHEDULE_COSINE:
        rate *= (1 + (x <= 0.5 ? cosine(x) : -cosine(1 - x))) / 2;
        break;
    }
    return rate;
}
