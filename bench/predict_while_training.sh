#!/bin/sh
# How long a prediction takes while nothing trains, and while a long run does: p50 and p99, in turns,
# so that what else the machine does touches both. Needs a built tempotrond (TEMPOTROND names it) and
# curl; wrk where it is installed, else the requests go through curl one after the other.
# About 15 seconds: ROUNDS turns of SECONDS each way.
set -eu
program=${TEMPOTROND:-build/tempotrond}
rounds=${ROUNDS:-3}
seconds=${SECONDS_EACH:-2}
directory=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || :; }; rm -rf "$directory"' EXIT
trap 'exit 1' INT TERM

"$program" --listen 127.0.0.1:0 --db "$directory/bench.db" --log errors 2>"$directory/log" &
server=$!
until url=$(sed -n 's/.* ready on //p' "$directory/log") && [ -n "$url" ]; do
    kill -0 "$server" || { cat "$directory/log"; exit 1; }
    sleep 0.05
done

# A model of 64 afferents, and 1000 patterns for it.
awk 'BEGIN {
    printf "{\"epochs\":100000,\"optimizer\":\"adam\",\"in_spikes\":["
    for (i = 0; i < 1000; i++) {
        printf "%s[", i ? "," : ""
        for (j = 0; j < 64; j++) printf "%s%d", j ? "," : "", (37 * i + 13 * j + i * j) % 100
        printf "]"
    }
    printf "],\"label\":["
    for (i = 0; i < 1000; i++) printf "%s%d", i ? "," : "", i % 10
    print "]}"
}' >"$directory/train.json"
awk 'BEGIN {
    printf "{\"in_spikes\":[["
    for (j = 0; j < 64; j++) printf "%s%d", j ? "," : "", 13 * j % 100
    print "]]}"
}' >"$directory/predict.json"
cat >"$directory/predict.lua" <<END
wrk.method = "POST"
wrk.body = io.open("$directory/predict.json"):read("*a")
END
curl -sSf -o /dev/null "$url/models" -d '{"id":"bench","in_features":64,"out_features":10,"T":100}'

# Prints "p50 ... p99 ... N requests".
measure_with_wrk() {
    wrk -t1 -c4 -d"${seconds}s" --latency -s "$directory/predict.lua" "$url/models/bench/predict" |
        awk '/ 50%/ {p50 = $2} / 99%/ {p99 = $2} /requests in/ {n = $1} /Non-2xx/ {bad = ", " $0}
             END {print "p50 " p50 "  p99 " p99 "  " n " requests" bad}'
}

measure_with_curl() {
    end=$(($(date +%s) + seconds))
    while [ "$(date +%s)" -lt "$end" ]; do
        curl -sSf -o /dev/null -w '%{time_total}\n' -d "@$directory/predict.json" \
            "$url/models/bench/predict"
    done | sort -n | awk '{t[NR] = 1000 * $1}
        END {printf "p50 %.2fms  p99 %.2fms  %d requests\n", t[int(NR / 2) + 1], t[int(NR * 0.99) + 1], NR}'
}

if command -v wrk >/dev/null; then
    measure=measure_with_wrk
else
    measure=measure_with_curl
    echo "wrk is not installed: asking with curl, one request at a time"
fi

start_run() {
    curl -sSf "$url/models/bench/train" -H 'Prefer: respond-async' -d "@$directory/train.json" |
        sed 's/.*"id":\([0-9]*\).*/\1/'
}

stop_run() {
    curl -sSf -o /dev/null -X POST "$url/runs/$1/cancel"
}

round=1
while [ $round -le "$rounds" ]; do
    echo "idle:     $($measure)"
    run=$(start_run)
    echo "training: $($measure)"
    curl -sSf "$url/runs/$run" | grep -q '"state":"running"' || echo "(the run ended early)"
    stop_run "$run"
    round=$((round + 1))
done
