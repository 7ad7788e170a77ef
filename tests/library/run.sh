#!/bin/sh
# Installs the library into an empty folder and uses it from there, as its users do: the example in the
# header compiles and prints what it should, with a C and a C++ compiler around the header; the archive
# exports the names that begin with tempotron_ only.
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
checks=0
failures=0

# check WHAT COMMAND...: counts a check, and shows what a command that fails has printed.
check() {
    what=$1
    shift
    checks=$((checks + 1))
    "$@" >"$root/printed" 2>&1 && return
    echo "$what:"
    cat "$root/printed"
    failures=$((failures + 1))
}

library() {
    PKG_CONFIG_PATH="$root/lib/pkgconfig" pkg-config libtempotron "$@"
}

expected='0.1 0.1: alike
0.9 0.9: alike
0.1 0.9: different
0.9 0.1: different'

run_example() {
    sed -n 's/^ \*     //p; s/^ \*$//p; /^ \*\/$/q' "$root/include/libtempotron.h" >"$root/example.c"
    # shellcheck disable=SC2046,SC2086
    ${CC:-gcc} -std=c99 -Wall -Wextra -pedantic -Werror "$root/example.c" $(library --cflags --libs) \
        -o "$root/example" && "$root/example" | tee "$root/answers" &&
        [ "$(cat "$root/answers")" = "$expected" ]
}

call_from_cxx() {
    cat >"$root/example.cc" <<'END'
#include <libtempotron.h>
#include <cstring>
int main()
{
    return std::strcmp(TEMPOTRON_VERSION, VERSION) != 0 || tempotron_psp_kernel(-1, 15, 3.75) != 0;
}
END
    # shellcheck disable=SC2046,SC2086
    g++ -std=c++11 -Wall -Wextra -pedantic -Werror -DVERSION="\"$(library --modversion)\"" \
        "$root/example.cc" $(library --cflags --libs) -o "$root/example" && "$root/example"
}

no_other_names() {
    nm -g --defined-only "$root/lib/libtempotron.a" | grep ' [A-Zi] ' >"$root/names"
    [ "$(grep -c ' tempotron_' "$root/names")" = "$(grep -o '\btempotron_[a-z_]*(' \
        "$root/include/libtempotron.h" | sort -u | wc -l)" ] && ! grep -v ' tempotron_' "$root/names"
}

only_these_files() {
    [ "$(cd "$root" && find include lib -type f | sort | tr '\n' ' ')" = \
        'include/libtempotron.h lib/libtempotron.a lib/pkgconfig/libtempotron.pc ' ]
}

# The library as it is installed: no variant of the build.
check 'make install-lib' env -u VARIANT -u MAKEFLAGS -u MAKELEVEL make -s install-lib PREFIX="$root"
check 'the installed files' only_these_files
check 'the exported names' no_other_names
check 'the example' run_example
check 'a C++ program' call_from_cxx

echo "$((100 * (checks - failures) / checks))%: Checks: $checks, Failures: $failures, Errors: 0"
[ $failures = 0 ]
