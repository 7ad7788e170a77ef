#!/bin/sh
# Same seed, same bits at every SIMD level: runs the programs that it is given, one for each level,
# the lowest first, and compares what they print. A level that this processor lacks is skipped. The
# tally looks like that of the other tests.
directory=$(dirname "$1")
checks=0
failures=0
for program; do
    level=${program##*-}
    case $level in
    v3) flag=avx2 ;;
    v4) flag=avx512vl ;;
    *) flag= ;;
    esac
    if [ -n "$flag" ] && ! grep -qw "$flag" /proc/cpuinfo; then
        echo "$level: not on this processor"
        continue
    fi
    checks=$((checks + 1))
    if ! "$program" >"$directory/bits-$level"; then
        echo "$level: it failed"
        failures=$((failures + 1))
    elif ! cmp "$directory/bits-${1##*-}" "$directory/bits-$level"; then
        failures=$((failures + 1))
    fi
done
[ -s "$directory/bits-${1##*-}" ] || failures=$((failures + 1))
echo "$((100 * (checks - failures) / checks))%: Checks: $checks, Failures: $failures, Errors: 0"
[ $failures = 0 ]
