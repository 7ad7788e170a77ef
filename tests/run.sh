#!/bin/sh
# Runs the test programs that it is given, one after the other; shows each one's tally, and the whole
# output of those that failed. Its last line counts the checks; a program that fails without a failed
# check of its own (a crash, a leak) counts as one. Exits 1 if anything failed.
passed=0
failed=0
for program; do
    "$program" >"$program.log" 2>&1
    status=$?
    tally=$(grep -aE '^[0-9]+%: Checks: ' "$program.log" | tail -n 1)
    echo "${program##*/}: ${tally:-no tally}"
    [ $status = 0 ] || cat "$program.log"

    # "100%: Checks: 12, Failures: 0, Errors: 0"
    set -- $(echo "$tally" | tr -cs '0-9' ' ')
    bad=$((${3:-0} + ${4:-0}))
    passed=$((passed + ${2:-0} - bad))
    [ $status = 0 ] || [ $bad -gt 0 ] || {
        echo "${program##*/}: exit status $status"
        bad=1
    }
    failed=$((failed + bad))
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
