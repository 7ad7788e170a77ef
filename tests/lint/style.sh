#!/bin/sh
# Checks the style of the sources that it is given: clang-format's, functions of 50 lines at most, no
# leftovers, and a public header that C++ takes too. CXX names the C++ compiler.
cd "$(dirname "$0")/../.." || exit 1
status=0
clang-format --dry-run -Werror "$@" || status=1
awk '/^{/ { first = FNR }
    /^}/ && first {
        lines = FNR - first + 1
        if (lines > 50) { print FILENAME ":" first ": a function of " lines " lines"; long = 1 }
        first = 0
    }
    END { exit long }' "$@" || status=1
! grep -nwE 'TO[D]O|FIX[M]E|XX[X]' "$@" Makefile tests/*.mk migrations/*.sql docker/* || status=1
echo '#include "core/libtempotron.h"' |
    ${CXX:-c++} -std=c++11 -pedantic -Wall -Wextra -Werror -fsyntax-only -I. -x c++ - || status=1
exit $status
