#!/bin/sh
# Checks the documentation with check.sh, then check.sh itself by a page that has every fault, then
# that the README leads to every page, and that docs/operations.md lists the options of --help and no
# others. Its tally looks like that of the other tests. TEMPOTROND names the server.
cd "$(dirname "$0")/../.." || exit 1
printed=$(mktemp)
trap 'rm -f "$printed"' EXIT
set -- CONTRIBUTING.md CHANGELOG.md docs/*.md examples/README.md bench/README.md
checks=3
failures=0

START=README.md tests/docs/check.sh README.md "$@" core/README.md server/README.md \
    server/*/README.md tests/README.md tests/robustness/README.md openapi/README.md >"$printed"
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

# Each option with the environment variable that it has: every one that takes a value has one.
"${TEMPOTROND:-build/tempotrond}" --help | sed -nE 's/^  (--[a-z-]+) [A-Z].*/\1/p' |
    while read -r option; do
        echo "$option TEMPOTROND_$(echo "${option#--}" | tr a-z- A-Z_)"
    done | sort >"$printed"
sed -nE 's/^\| `(--[a-z-]+) [A-Z][^|]*\| `([A-Z_]+)` \|.*/\1 \2/p' docs/operations.md | sort |
    diff "$printed" - || failures=$((failures + 1))

echo "$((100 * (checks - failures) / checks))%: Checks: $checks, Failures: $failures, Errors: 0"
[ $failures = 0 ]
