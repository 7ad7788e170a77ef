#!/bin/sh
# Gives each target, as a program without libFuzzer, its seeds and what earlier runs of libFuzzer have found.
# The tally looks like that of the other tests.
checks=0
failures=0
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
tar -xzf tests/fuzz/corpus.tar.gz -C "$corpus"
for program; do
    name=${program##*/replay_}
    checks=$((checks + 1))
    find "$corpus/$name" "tests/fuzz/seeds/$name" -type f -print0 | xargs -0 -n 500 "$program" && continue
    echo "$name: it failed"
    failures=$((failures + 1))
done
echo "$((100 * (checks - failures) / checks))%: Checks: $checks, Failures: $failures, Errors: 0"
[ $failures = 0 ]
