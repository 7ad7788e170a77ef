#!/bin/sh
# Checks pages of the documentation: runs their commands, compares what these print, and looks for
# what the links name, and for the files that they name in backticks.
#
# The commands of a page run in its order, in an empty directory, on a new server with an empty
# database, after those of the page that START names (the README, with which a reader begins). So a
# page may use what the README has made, and nothing else. A block is marked by its first line:
#
#   # not tested: REASON    it is not run
#   # needs numpy, ...      it is run if python3 has numpy
#
# Every other block has to end with status 0 (that of its last command). If a block of json or text follows, it has to print
# exactly that; times, durations and request ids are compared by shape, JSON without its line ends,
# and "..." stands for any text. The pages name the addresses 127.0.0.1:8080, for the server that
# runs, and 127.0.0.1:9000, for one that a command starts. Here these are a free port, and an address
# of the loopback that no other test has.
#
# Usage: [START=README.md] tests/docs/check.sh PAGE...    from the top of the project
# TEMPOTROND names the server. Prints each fault as PAGE:LINE: REASON, a line for each page, and the
# tally; exits 1 if there are faults.

tests=$(dirname "$0")
top=$PWD
program=$(realpath "${TEMPOTROND:-build/tempotrond}")
patience=$((120 * ${CK_TIMEOUT_MULTIPLIER:-1})) # seconds that a block may take
work=$(mktemp -d)
other_address=127.77.$(($$ / 256 % 256)).$(($$ % 256)):9000
server=
checks=0
failures=0
untested=0

end_server() {
    [ -n "$server" ] || return 0
    kill "$server"
    wait "$server"
    status=$?
    server=
    rm -f "$work/stderr"
    return $status
}

trap 'end_server; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Starts a server and sets address: the ready line names it.
start_server() {
    mkfifo "$work/stderr"
    ${TEMPOTROND_WRAPPER:-} "$program" --listen 127.0.0.1:0 --db "$1" 2>"$work/stderr" &
    server=$!
    exec 3<"$work/stderr"
    read -r ready <&3
    cat <&3 >"$work/log" &
    exec 3<&-
    address=${ready##*ready on http://}
    case $address in
    127.0.0.1:*) return 0 ;;
    esac
    echo "the server does not start: $ready" >&2
    exit 1
}

# fault PAGE LINE REASON [FILE]: counts a failed check and prints it, with the lines of a file.
fault() {
    failures=$((failures + 1))
    echo "$1:$2: $3"
    [ -z "${4:-}" ] || sed 's/^/    /' "$4"
}

# Replaces what differs each time by a word. JSON also loses its line ends.
by_shape() {
    sed -E -e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z/TIME/g' \
        -e 's/(request_id"?[:=]"?)[0-9a-f]{16}/\1ID/g' \
        -e 's/^(X-Request-Id: )[0-9a-f]{16}/\1ID/' \
        -e 's/^Date: .*/Date: TIME/' \
        -e 's/ ms=[0-9]+(\.[0-9]+)?/ ms=N/' \
        -e 's/\r$//' |
        if [ "$1" = json ]; then tr -d '\n'; else cat; fi
    echo
}

# run PAGE LINE NUMBER LANGUAGE: runs a block; what it prints goes to $work/printed.
run() {
    case $4 in
    python) interpreter="python3" ;;
    *) interpreter="sh" ;;
    esac
    sed "s/127\.0\.0\.1:8080/$address/g; s/127\.0\.0\.1:9000/$other_address/g" \
        "$work/blocks/$3" >"$work/block"
    (cd "$work/directory" && timeout "$patience" "$interpreter" "$work/block") >"$work/raw" 2>&1 </dev/null
    status=$?
    sed "s/$address/127.0.0.1:8080/g; s/$other_address/127.0.0.1:9000/g" "$work/raw" >"$work/printed"
    [ $status = 0 ] || fault "$1" "$2" "the commands end with status $status" "$work/printed"
}

# compare PAGE LINE NUMBER LANGUAGE: whether the block before has printed what this one says.
compare() {
    by_shape "$4" <"$work/blocks/$3" >"$work/said"
    by_shape "$4" <"$work/printed" >"$work/was"
    awk -f "$tests/compare.awk" "$work/said" "$work/was" ||
        fault "$1" "$2" "the commands print something else:" "$work/printed"
}

# split PAGE: puts the blocks of a page into $work/blocks, and a line about each into $work/list.
split() {
    rm -rf "$work/blocks"
    mkdir "$work/blocks"
    awk -v directory="$work/blocks" -f "$tests/blocks.awk" "$1" >"$work/list"
}

# run_blocks PAGE: runs all blocks of a page.
run_blocks() {
    page=$1 ran=0 compared=0 skipped=0 is_run=
    split "$page"
    while read -r number line kind language reason; do
        case $kind in
        needs)
            case $reason in
            numpy*) python3 -c 'import numpy' 2>/dev/null && kind=run || kind=skip ;;
            *) kind=fault reason="no block can need $reason" ;;
            esac
            ;;
        esac
        case $kind in
        run)
            ran=$((ran + 1)) is_run=yes
            run "$page" "$line" "$number" "$language"
            ;;
        skip)
            skipped=$((skipped + 1)) is_run=
            ;;
        output)
            [ -n "$is_run" ] || continue
            compared=$((compared + 1))
            compare "$page" "$line" "$number" "$language"
            ;;
        fault)
            checks=$((checks + 1))
            fault "$page" "$line" "$reason"
            ;;
        esac
    done <"$work/list"
}

# check_link PAGE LINE TARGET: whether the file and the heading exist.
check_link() {
    case $3 in
    *://*) return ;;
    esac
    file=${3%%#*}
    anchor=
    case $3 in
    *'#'*) anchor=${3#*#} ;;
    esac
    if [ -z "$file" ]; then
        file=$1
    else
        file=$(dirname "$1")/$file
    fi
    if [ ! -e "$file" ]; then
        fault "$1" "$2" "there is no file $3"
    elif [ -n "$anchor" ] && ! awk -v anchors=1 -f "$tests/links.awk" "$file" | grep -qx "$anchor"; then
        fault "$1" "$2" "there is no heading $3"
    fi
}

check_links() {
    links=0
    awk -f "$tests/links.awk" "$1" >"$work/links"
    while read -r line target; do
        links=$((links + 1))
        check_link "$1" "$line" "$target"
    done <"$work/links"
}

# Files are named from the top of the project, `core/loss.c`, or from the folder of the page.
check_files() {
    files=0
    grep -noE '`(bench|core|docker|docs|examples|migrations|openapi|server|tests)/[A-Za-z0-9_./-]*`' "$1" |
        tr -d '`' | tr : ' ' >"$work/files"
    while read -r line file; do
        files=$((files + 1))
        [ -e "$file" ] || [ -e "$(dirname "$1")/$file" ] || fault "$1" "$line" "there is no file $file"
    done <"$work/files"
}

# A directory like the top of the project, where nothing that a command writes stays.
make_directory() {
    rm -rf "$work/directory"
    mkdir "$work/directory" "$work/directory/build"
    ln -s "$program" "$work/directory/build/tempotrond"
    for name in examples openapi.yaml; do
        ln -s "$top/$name" "$work/directory/$name"
    done
}

check_page() {
    split "$1"
    if grep -qE '^[0-9]+ [0-9]+ (run|needs) ' "$work/list"; then
        make_directory
        start_server "$work/directory/tempotron.db"
        if [ "$1" != "${START:-$1}" ]; then
            run_blocks "$START"
        fi
    fi
    run_blocks "$1"
    end_server || fault "$1" 1 "the server ends with status $?" "$work/log"
    check_links "$1"
    check_files "$1"
    checks=$((checks + ran + compared + 1 + links + files))
    untested=$((untested + skipped))
    echo "$1: $ran blocks run, $compared outputs compared, $skipped not tested, $links links, $files files"
}

for page; do
    check_page "$page"
done
echo "blocks that are not tested: $untested"
echo "$((100 * (checks - failures) / checks))%: Checks: $checks, Failures: $failures, Errors: 0"
[ $failures = 0 ]
