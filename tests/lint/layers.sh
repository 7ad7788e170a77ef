#!/bin/sh
# Checks which file may include what: each folder only the layers below it, and each library only the
# folder that wraps it. Prints every include that breaks a rule, and then exits 1. Its argument is the
# top of the tree to check; without one it is this project's.
cd "${1:-$(dirname "$0")/../..}" || exit 1

standard='assert|errno|float|limits|math|stdalign|stdatomic|stdbool|stddef|stdint|stdlib|string'
status=0

# include_lines PATTERN FILE...: "file:number:target" of every include whose target matches.
include_lines() {
    pattern=$1
    shift
    grep -nE "^ *# *include *[<\"]($pattern)" /dev/null "$@" |
        sed -E 's/: *# *include *[<"]([^>"]*)[>"].*/:\1/'
}

# refuse MESSAGE LINES: reports lines, if there are any.
refuse() {
    [ -z "$2" ] && return
    echo "$2" | sed "s|\$|: $1|"
    status=1
}

# layer FOLDER ALLOWED...: the project's headers that the sources of a folder may include.
layer() {
    folder=$1
    shift
    allowed=$(echo "$folder $*" | tr ' ' '|')
    refuse "not a layer below $folder" "$(include_lines '[^>"]+/' "$folder"/*.[ch] |
        grep -E ':(core|server|tests|bench)/' | grep -vE ":($allowed)/[^/]+\$")"
    refuse "include paths start at the root" "$(include_lines '[^>"/]+"' "$folder"/*.[ch])"
}

# library HEADERS FOLDER...: system headers that only the sources of these folders may include.
library() {
    headers=$1
    shift
    places=$(echo "$*" | tr ' ' '|')
    refuse "only in $*" "$(include_lines "$headers" server/*.[ch] server/*/*.[ch] |
        grep -vE "^($places)")"
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
    server/compute server

library 'microhttpd\.h' server/http/
library 'sqlite3\.h' server/store/
library 'jansson\.h' server/json/internal.h
library 'server/json/internal\.h' server/json/
library 'nettle/' server/base/checksum
library 'zlib\.h' server/base/gzip server/files/gzip_file

refuse "the core needs the C standard library only" \
    "$(include_lines '[^>"/]+>' core/*.[ch] | grep -vE ":($standard)\.h\$")"

exit $status
