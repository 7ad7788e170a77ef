#!/bin/sh
# Checks the documentation with check.sh, then check.sh itself by a page that has every fault, then
# that the README leads to every page. Its tally looks like that of the other tests. TEMPOTROND
# names the server.
cd "$(dirname "$0")/../.." || exit 1
printed=$(mktemp)
trap 'rm -f "$printed"' EXIT
set -- CONTRIBUTING.md CHANGELOG.md docs/*.md examples/README.md bench/README.md
checks=2
failures=0

START=README.md tests/docs/check.sh README.md "$@" >"$printed"
grep -v '%: Checks' "$printed"
# "100%: Checks: 12, Failures: 0, Errors: 0"
tally=$(tail -n 1 "$printed" | tr -cs '0-9' ' ')
checks=$((checks + $(echo "$tally" | cut -d ' ' -f 2)))
failures=$((failures + $(echo "$tally" | cut -d ' ' -f 3)))

if tests/docs/check.sh tests/docs/faults.md >"$printed"; then
    echo "tests/docs/check.sh finds no fault in tests/docs/faults.md"
    failures=$((failures + 1))
elif ! diff tests/docs/faults.expected "$printed"; then
    failures=$((failures + 1))
fi

for page; do
    grep -qF "]($page" README.md && continue
    echo "README.md: it leads to no $page"
    failures=$((failures + 1))
done

echo "$((100 * (checks - failures) / checks))%: Checks: $checks, Failures: $failures, Errors: 0"
[ $failures = 0 ]
