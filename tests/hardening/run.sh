#!/bin/sh
# Whether the flags of the Makefile have come to what they are there for, as readelf shows the program that
# is given; and whether the unit of systemd confines it, as systemd judges it, if systemd is there. The tally
# looks like that of the other tests.
program=$1
checks=0
failures=0

# expect WHAT READELF_OPTION PATTERN: counts a check, which fails if no line matches.
expect() {
    checks=$((checks + 1))
    readelf -W "$2" "$program" | grep -qE "$3" && return
    echo "$program: $1"
    failures=$((failures + 1))
}

# refuse WHAT READELF_OPTION PATTERN: likewise, if a line matches.
refuse() {
    checks=$((checks + 1))
    readelf -W "$2" "$program" | grep -E "$3" || return
    echo "$program: $1"
    failures=$((failures + 1))
}

expect 'it is loaded at the same address each time' -h 'Type: +DYN \(Position-Independent Executable'
expect 'its table of functions can be written to' -l GNU_RELRO
expect 'functions are bound after the start, in a table that can be written to' -d 'FLAGS.* BIND_NOW|BIND_NOW$'
expect 'its stack can be executed' -l 'GNU_STACK .* RW +0x'
refuse 'it has memory that can be written to and executed' -l ' RWE '
refuse 'its code is changed when it is loaded' -d TEXTREL
refuse 'it looks for libraries in a place of its own' -d 'RPATH|RUNPATH'
expect 'functions do not check their stack' --dyn-syms __stack_chk_fail
# The sanitizers of a variant check what this would hide.
[ -n "${VARIANT:-}" ] || expect 'copies of bytes are not checked' --dyn-syms __memcpy_chk

unit=examples/tempotrond.service
if command -v systemd-analyze >/dev/null; then
    checks=$((checks + 1))
    if ! systemd-analyze security --offline=yes --threshold=35 --no-pager "$unit" >/dev/null 2>&1; then
        echo "$unit: systemd-analyze finds it exposed by more than 3.5 of 10"
        failures=$((failures + 1))
    fi
fi

echo "$((100 * (checks - failures) / checks))%: Checks: $checks, Failures: $failures, Errors: 0"
[ $failures = 0 ]
