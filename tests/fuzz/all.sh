#!/bin/sh
# Runs the fuzz targets that it is given, each for FUZZ_SECONDS or for FUZZ_RUNS inputs, from its seeds
# and from what earlier runs have found (build/fuzz/corpus/, which begins as corpus.tar.gz). A line says
# how many inputs each was given; what a target
# printed is shown if it failed, with the file that holds the input. Exits 1 if any failed.
cd "$(dirname "$0")/../.." || exit 1
status=0
[ -d build/fuzz/corpus ] || { mkdir -p build/fuzz/corpus && tar -xzf tests/fuzz/corpus.tar.gz -C build/fuzz/corpus; }
until=-max_total_time=${FUZZ_SECONDS:-10}
[ -n "$FUZZ_RUNS" ] && until=-runs=$FUZZ_RUNS
for target; do
    name=${target##*/fuzz_}
    corpus=build/fuzz/corpus/$name
    mkdir -p "$corpus"
    "$target" "$until" -print_final_stats=1 -verbosity=1 \
        -artifact_prefix="build/fuzz/$name-" "$corpus" "tests/fuzz/seeds/$name" >"$target.log" 2>&1
    ended=$?
    inputs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$target.log")
    echo "$name: ${inputs:-no} inputs, $(find "$corpus" -type f | wc -l) kept"
    [ $ended = 0 ] && continue
    echo "== $name: exit status $ended"
    cat "$target.log"
    status=1
done
exit $status
