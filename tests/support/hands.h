/* hands.h - a crew of real threads, one for each part of a task. */
#ifndef TESTS_HANDS_H
#define TESTS_HANDS_H

#include "crew.h"

/* As many threads as there are parts, made anew for every task. */
struct crew hands(size_t size);

#endif
