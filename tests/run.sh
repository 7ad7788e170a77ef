#!/bin/sh
# Runs the test programs that it is given, as many at a time as there are cores (TEST_JOBS says
# otherwise). Shows the tally of each, then the whole output of those that failed. The last line counts
# the checks; a program that fails without a failed check of its own (a crash, a leak) counts as one.
# Exits 1 if anything failed.

# Programs that share the cores need more time; training most, since it has a low priority.
export CK_DEFAULT_TIMEOUT="${CK_DEFAULT_TIMEOUT:-30}" CK_TIMEOUT_MULTIPLIER="${CK_TIMEOUT_MULTIPLIER:-4}"

if [ "$1" = --one ]; then
    begin=$(date +%s)
    "$2" >"$2.log" 2>&1
    echo $? >"$2.status"
    tally=$(grep -aE '^[0-9]+%: Checks: ' "$2.log" | tail -n 1)
    echo "${2##*tests/}: ${tally:-no tally} ($(($(date +%s) - begin)) s)"
    exit
fi

for program; do rm -f "$program.status"; done
printf '%s\n' "$@" | xargs -n 1 -P "${TEST_JOBS:-$(nproc)}" "$0" --one

passed=0
failed=0
for program; do
    status=$(cat "$program.status" || echo none)
    # "100%: Checks: 12, Failures: 0, Errors: 0"
    set -- $(grep -aE '^[0-9]+%: Checks: ' "$program.log" | tail -n 1 | tr -cs '0-9' ' ')
    bad=$((${3:-0} + ${4:-0}))
    passed=$((passed + ${2:-0} - bad))
    [ "$status" = 0 ] && [ $# -gt 0 ] && continue
    echo "== ${program##*tests/}: exit status $status"
    cat "$program.log"
    [ $bad -gt 0 ] || bad=1
    failed=$((failed + bad))
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
