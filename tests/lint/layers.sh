#!/bin/sh
# Checks which file may include what: each folder only the layers below it, a library only in the folder
# that wraps it, a private header only in its own folder. Prints every include that breaks a rule, and
# then exits 1. Its argument is the top of the tree to check; without one it is this project's.
cd "${1:-$(dirname "$0")/../..}" || exit 1

standard='assert|errno|float|limits|math|stdalign|stdatomic|stdbool|stddef|stdint|stdlib|string'
layers=
status=0

# include_lines PATTERN FILE...: "file:number:target" of every include whose target matches.
include_lines() {
    pattern=$1
    shift
    grep -snE "^[[:blank:]]*#[[:blank:]]*include[[:blank:]]*[<\"]($pattern)" /dev/null "$@" |
        sed -E 's/:[[:blank:]]*#[[:blank:]]*include[[:blank:]]*[<"]([^>"]*)[>"].*/:\1/'
}

# refuse MESSAGE LINES: reports lines, if there are any.
refuse() {
    [ -z "$2" ] && return
    echo "$2" | while read -r line; do echo "$line: $1"; done
    status=1
}

# layer FOLDER ALLOWED...: the folders whose headers the sources of a folder may include, besides its own.
layer() {
    folder=$1
    layers="$layers $folder"
    allowed=$(echo "$*" | tr ' ' '|')
    shift
    refuse "not a layer below $folder" "$(include_lines '(core|server|tests|bench)/' "$folder"/*.[ch] |
        grep -vE ":($allowed)/[^/]+\$")"
    refuse "include paths start at the root" "$(include_lines '[^>"]+"' "$folder"/*.[ch] |
        grep -vE ':(core|server|tests|bench)/[^:]*$')"
}

# only_in PLACES HEADERS: headers that only the sources whose paths begin with PLACES may include.
only_in() {
    refuse "only in $1" "$(include_lines "$2" core/*.[ch] server/*.[ch] server/*/*.[ch] |
        grep -vE "^($1)")"
}

layer core
layer server/base core
layer server/json core server/base
layer server/files core server/base
layer server/store core server/base
layer server/http core server/base server/json
layer server/model core server/base server/json server/files server/store
layer server/compute core server/base server/json server/files server/store server/model
layer server/api core server/base server/json server/files server/store server/http server/model \
    server/compute
layer server core server/base server/json server/files server/store server/http server/model \
    server/compute server/api

only_in 'server/http/' 'microhttpd\.h'
only_in 'server/http/tls' 'gnutls/'
only_in 'server/sandbox' 'seccomp\.h|linux/(landlock|seccomp)\.h'
only_in 'server/store/' 'sqlite3\.h'
only_in 'server/json/internal' 'jansson\.h'
only_in 'server/base/checksum' 'nettle/'
only_in 'server/base/gzip|server/files/gzip_file' 'zlib\.h'

only_in 'server/http/' 'server/http/internal\.h'
only_in 'server/store/' 'server/store/query\.h'
only_in 'server/json/' 'server/json/internal\.h'
only_in 'core/' 'core/(arena|exponential|simd)\.h'

refuse "the core needs the C standard library only" \
    "$(include_lines '[^>"/]+>' core/*.[ch] | grep -vE ":($standard)\.h\$")"

for folder in $(find core server -type d); do
    case " $layers " in
    *" $folder "*) ;;
    *) refuse "no layer: layers.sh has no rule for it" "$folder" ;;
    esac
done

exit $status
