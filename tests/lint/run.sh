#!/bin/sh
# Tries wrong includes of each kind on layers.sh, in a small tree of the same folders: it must name each
# of them, and nothing else. Its tally looks like that of the other tests.
layers=$(cd "$(dirname "$0")" && pwd)/layers.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
files=0
>"$tree/expected"

# right FOLDER INCLUDE [NAME]: a file of one include, which is accepted.
right() {
    files=$((files + 1))
    echo "#include $2" >"$tree/$1/${3:-$files.c}"
}

# wrong FOLDER INCLUDE MESSAGE: a file of one include, which is refused with this message.
wrong() {
    right "$1" "$2"
    echo "$1/$files.c:1:$(echo "$2" | tr -d '<>"'): $3" >>"$tree/expected"
}

# upward FOLDER OTHER...: folders that it must not include.
upward() {
    folder=$1
    shift
    for other; do
        wrong "$folder" "\"$other/a.h\"" "not a layer below $folder"
    done
}

s=server
for folder in core $s $s/base $s/json $s/files $s/store $s/http $s/model $s/compute $s/api; do
    mkdir -p "$tree/$folder"
    right $folder '<stddef.h>' a.h
done

# --- layers ---

upward core $s $s/base $s/json $s/files $s/store $s/http $s/model $s/compute $s/api tests/support bench
upward $s/base $s $s/json $s/files $s/store $s/http $s/model $s/compute $s/api tests/support
upward $s/json $s $s/files $s/store $s/http $s/model $s/compute $s/api
upward $s/files $s $s/json $s/store $s/http $s/model $s/compute $s/api
upward $s/store $s $s/json $s/files $s/http $s/model $s/compute $s/api
upward $s/http $s $s/files $s/store $s/model $s/compute $s/api
upward $s/model $s $s/http $s/compute $s/api
upward $s/compute $s $s/http $s/api
upward $s tests/support
upward $s/api $s
upward $s/api tests/support

right $s/base '"core/a.h"'
right $s/http '"server/json/a.h"'
right $s/model '"server/store/a.h"'
right $s/api '"server/http/a.h"'
right $s '"server/api/a.h"'

# --- ways to write it ---

root='include paths start at the root'
wrong $s/base '"a.h"' "$root"
wrong $s/http '"../base/a.h"' "$root"
wrong $s/http '"./a.h"' "$root"
wrong core '"a.h"' "$root"
wrong core '"math.h"' "$root"
wrong $s/base '<server/json/a.h>' "not a layer below $s/base"
echo '  #  include "server/json/a.h"' >"$tree/$s/base/b.c"
echo "$s/base/b.c:1:server/json/a.h: not a layer below $s/base" >>"$tree/expected"

# --- libraries ---

for library in jansson.h sqlite3.h microhttpd.h zlib.h nettle/sha2.h unistd.h check.h; do
    refused=
    case $library in
    jansson.h) refused="only in $s/json/internal" ;;
    sqlite3.h) refused="only in $s/store/" ;;
    microhttpd.h) refused="only in $s/http/" ;;
    zlib.h) refused="only in $s/base/gzip|$s/files/gzip_file" ;;
    nettle/sha2.h) refused="only in $s/base/checksum" ;;
    esac
    for folder in $s $s/base $s/json $s/files $s/store $s/http $s/model $s/compute $s/api; do
        case $folder:$library in
        "$s/store:sqlite3.h" | "$s/http:microhttpd.h" | *:unistd.h | *:check.h)
            right $folder "<$library>"
            ;;
        *) wrong $folder "<$library>" "$refused" ;;
        esac
    done
done
right $s/base '<zlib.h>' gzip.c
right $s/files '<zlib.h>' gzip_file.c
right $s/base '<nettle/sha2.h>' checksum.c
right $s/json '<jansson.h>' internal.h
right core '<math.h>'
wrong core '<unistd.h>' 'the core needs the C standard library only'
wrong core '<pthread.h>' 'the core needs the C standard library only'

# --- private headers ---

wrong $s/api '"server/http/internal.h"' "only in $s/http/"
wrong $s/model '"server/store/query.h"' "only in $s/store/"
wrong $s/model '"server/json/internal.h"' "only in $s/json/"
wrong $s/compute '"core/arena.h"' 'only in core/'
right $s/http '"server/http/internal.h"'
right core '"core/arena.h"'

# --- folders without a rule ---

mkdir "$tree/$s/helpers" "$tree/$s/api/v2"
cat >>"$tree/expected" <<END
$s/helpers: no layer: layers.sh has no rule for it
$s/api/v2: no layer: layers.sh has no rule for it
END

"$layers" "$tree" >"$tree/found" 2>&1
status=$?
sort -o "$tree/found" "$tree/found"
sort "$tree/expected" | diff - "$tree/found" >"$tree/differences"
cat "$tree/differences"
failures=$(grep -c '^[<>]' "$tree/differences")
[ $status = 1 ] || { echo "layers.sh exits $status" && failures=$((failures + 1)); }

echo "$((100 * (files - failures) / files))%: Checks: $files, Failures: $failures, Errors: 0"
[ "$failures" = 0 ]
