#!/bin/sh
# Single predictions a second over HTTP, against a bare libmicrohttpd server that collects the same
# bodies and answers a constant: in turns, in one run, with wrk on the loopback. Then latency at half of
# that rate; the same beside a run that trains on all cores; batches of concurrent requests; start and
# memory. About two minutes. ROUNDS and SECONDS_EACH make it longer.
#
#   bench/http/run.sh TEMPOTROND BARE
set -eu
program=$1 bare=$2
rounds=${ROUNDS:-5}
seconds=${SECONDS_EACH:-1}
connections=32
threads=$(nproc)
here=$(dirname "$0")
directory=$(mktemp -d)
servers=
trap 'for server in $servers; do kill "$server" 2>/dev/null || :; done; wait; rm -rf "$directory"' EXIT
trap 'exit 1' INT TERM

# serve LOG COMMAND...: starts a server, waits for its ready line, sets url and server.
serve() {
    log=$1
    shift
    "$@" 2>"$log" &
    server=$!
    servers="$servers $server"
    until url=$(sed -n 's/.* ready on //p' "$log") && [ -n "$url" ]; do
        kill -0 "$server" || { cat "$log"; exit 1; }
        sleep 0.01
    done
}

# stop PID: until it has ended.
stop() {
    kill "$1"
    wait "$1" || :
    servers=$(echo "$servers" | sed "s/ $1\$//; s/ $1 / /")
}

# numbers N EXPRESSION: N numbers, comma-separated, from awk's EXPRESSION of i.
numbers() {
    awk -v n="$1" "BEGIN { for (i = 0; i < n; i++) printf \"%s%d\", i ? \",\" : \"\", $2 }"
}

# The pixels of a digit: a 0, which lights a sixth of them.
image() {
    awk 'BEGIN {
        for (i = 0; i < 784; i++) {
            y = (int(i / 28) - 13.5) / 8.5
            x = (i % 28 - 13.5) / 5.5
            ring = x * x + y * y
            printf "%s%d", i ? "," : "", (ring > 0.5 && ring < 1.4 ? (37 * i + i * i) % 255 + 1 : 0)
        }
    }'
}

create_models() {
    curl -sSf -o /dev/null "$1/models" -d '{"id": "iris", "out_features": 3, "T": 100, "encoder":
        {"type": "gaussian_tuning", "m": 12, "x_min": [4.3, 2.0, 1.0, 0.1],
         "x_max": [7.9, 4.4, 6.9, 2.5], "max_spike_time": 100}, "labels": ["a", "b", "c"]}'
    curl -sSf -o /dev/null "$1/models" -d '{"id": "mnist", "out_features": 10, "T": 100, "tau": 100,
        "encoder": {"type": "gaussian_tuning", "m": 16, "max_spike_time": 100,
        "x_min": ['"$(numbers 784 0)"'], "x_max": ['"$(numbers 784 255)"']}}'
}

write_bodies() {
    echo '{"x": [[5.0, 3.4, 1.5, 0.2]]}' >"$directory/iris.json"
    image | sed 's/.*/{"x": [[&]]}/' >"$directory/mnist.json"
    printf '\223NUMPY\001\000v\000%-117s\n' \
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 784), }" >"$directory/mnist.npy"
    printf "$(image | tr ',' '\n' | awk '{ printf "\\%03o", $1 }')" >>"$directory/mnist.npy"
}

# A data set of MNIST's shape, of random pixels, in MNIST's format.
write_dataset() {
    printf '\000\000\010\003\000\000\352\140\000\000\000\034\000\000\000\034' >"$directory/x"
    head -c 47040000 /dev/urandom >>"$directory/x"
    printf '\000\000\010\001\000\000\352\140' >"$directory/label"
    head -c 60000 /dev/urandom | tr '\012-\377' '[\000*30][\001*30][\002*30][\003*30][\004*30][\005*]' \
        >>"$directory/label"
}

# load URL FILE TYPE [INTERVAL]: prints "RATE P50 P99" in requests a second and milliseconds.
load() {
    BODY=$directory/$2 TYPE=$3 INTERVAL=${4:-} wrk -t"$threads" -c"$connections" -d"${seconds}s" --latency \
        -s "$here/load.lua" "$1" >"$directory/wrk"
    awk 'function ms(text) { return text ~ /us$/ ? text / 1000 : text ~ /ms$/ ? text + 0 : text * 1000 }
         / 50%/ {p50 = ms($2)} / 99%/ {p99 = ms($2)} /Requests\/sec/ {rate = $2}
         /Non-2xx|Socket errors/ {print > "/dev/stderr"; bad = 1}
         END {if (bad) exit 1; printf "%d %.3f %.3f\n", rate, p50, p99}' "$directory/wrk"
}

median() {
    sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'
}

# Divides the second of two columns by the first, line by line, and prints the median.
ratio() {
    awk '{print $2 / $1}' | median
}

# --- the measurements; each begins with a line that says what it is ---

against_bare() {
    printf '%-22s %10s %10s %7s\n' 'single predictions' bare/s service/s ratio
    for body in iris.json mnist.json mnist.npy; do
        type=application/json
        [ "${body#*.}" = json ] || type=application/x-npy
        : >"$directory/rates"
        for round in $(seq "$rounds"); do
            bare_rate=$(load "$bare_url" "$body" $type)
            rate=$(load "$service_url/models/${body%.*}/predict" "$body" $type)
            echo "${bare_rate%% *} ${rate%% *}" >>"$directory/rates"
        done
        printf '%-22s %10d %10d %7.2f\n' "$body" "$(cut -d' ' -f1 "$directory/rates" | median)" \
            "$(cut -d' ' -f2 "$directory/rates" | median)" "$(ratio <"$directory/rates")"
        cut -d' ' -f2 "$directory/rates" | median >"$directory/$body.rate"
    done
}

at_half_the_rate() {
    printf '\n%-22s %10s %10s %7s\n' 'at half that rate' requests/s 'p50 ms' 'p99 ms'
    for body in iris.json mnist.json mnist.npy; do
        type=application/json
        [ "${body#*.}" = json ] || type=application/x-npy
        interval=$(awk -v c=$connections -v r="$(cat "$directory/$body.rate")" 'BEGIN {print 2000 * c / r}')
        load "$service_url/models/${body%.*}/predict" "$body" $type "$interval" |
            awk -v body=$body '{printf "%-22s %10d %10.3f %7.3f\n", body, $1, $2, $3}'
    done
}

start_run() {
    curl -sSf "$service_url/models/mnist/train" -H 'Prefer: respond-async' \
        -d '{"dataset": "random", "epochs": 1000, "optimizer": "adam", "loss": "margin"}' |
        sed 's/.*"id":\([0-9]*\).*/\1/'
}

# Until a run has done an epoch.
await_epoch() {
    until curl -sSf "$service_url/runs/$1" | grep -q '"epoch":[1-9]'; do
        sleep 0.05
    done
}

cancel_run() {
    curl -sSf -o /dev/null -X POST "$service_url/runs/$1/cancel"
    until curl -sSf "$service_url/runs/$1" | grep -q '"state":"cancelled"'; do
        sleep 0.01
    done
}

beside_training() {
    write_dataset
    curl -sSf -o /dev/null -T "$directory/x" "$service_url/datasets/random/x"
    curl -sSf -o /dev/null -T "$directory/label" "$service_url/datasets/random/label"
    : >"$directory/rates"
    : >"$directory/tails"
    for round in $(seq "$rounds"); do
        idle=$(load "$service_url/models/iris/predict" iris.json application/json)
        run=$(start_run)
        await_epoch "$run"
        busy=$(load "$service_url/models/iris/predict" iris.json application/json)
        cancel_run "$run"
        echo "${idle%% *} ${busy%% *}" >>"$directory/rates"
        echo "${idle##* } ${busy##* }" >>"$directory/tails"
    done
    printf '\n%-22s %10s %10s %7s\n' 'iris.json' idle training ratio
    printf '%-22s %10d %10d %7.2f\n' 'requests/s' "$(cut -d' ' -f1 "$directory/rates" | median)" \
        "$(cut -d' ' -f2 "$directory/rates" | median)" "$(ratio <"$directory/rates")"
    printf '%-22s %10.3f %10.3f %7.2f\n' 'p99 ms' "$(cut -d' ' -f1 "$directory/tails" | median)" \
        "$(cut -d' ' -f2 "$directory/tails" | median)" "$(ratio <"$directory/tails")"
    printf '%-22s %10s %10s MiB\n' 'most memory' '' \
        "$(awk '/VmHWM/ {print int($2 / 1024)}' "/proc/$service/status")"
}

# How the rate grows with the connections: what collecting concurrent requests could win.
by_connections() {
    printf '\n%-22s %10s %10s %7s\n' 'mnist.npy' requests/s 'p50 ms' 'p99 ms'
    for connections in 2 8 32 128 512; do
        load "$service_url/models/mnist/predict" mnist.npy application/x-npy |
            awk -v c=$connections '{printf "%-3d %-18s %10d %10.3f %7.3f\n", c, "connections", $1, $2, $3}'
    done
    connections=32
}

start_with_models() {
    for i in $(seq 1000); do
        printf 'url = "%s/models"\noutput = /dev/null\ndata = "{\\"in_features\\": 48, \\"out_features\\": 3, \\"T\\": 100}"\n' "$url"
        [ "$i" = 1000 ] || echo next
    done >"$directory/requests"
    curl -sSf -K "$directory/requests"
    stop "$server"
    : >"$directory/times"
    for round in $(seq "$rounds"); do
        begin=$(date +%s%N)
        serve "$directory/start.log" "$program" --listen 127.0.0.1:0 --db "$directory/many.db" --log errors
        curl -sSf -o /dev/null "$url/health/ready"
        echo $((($(date +%s%N) - begin) / 1000)) >>"$directory/times"
        idle=$(awk '/VmRSS/ {print $2 / 1024}' "/proc/$server/status")
        stop "$server"
        : >"$directory/start.log"
    done
    awk -v us="$(median <"$directory/times")" -v idle="$idle" 'BEGIN {
        printf "\nstart to ready with 1,000 models, curl included: %.1f ms; idle: %.1f MiB\n", us / 1000, idle}'
}

write_bodies
serve "$directory/bare.log" "$bare"
bare_url=$url
serve "$directory/service.log" "$program" --listen 127.0.0.1:0 --db "$directory/bench.db" --log errors
service_url=$url service=$server
create_models "$service_url"
against_bare
at_half_the_rate
by_connections
beside_training
serve "$directory/many.log" "$program" --listen 127.0.0.1:0 --db "$directory/many.db" --log errors
start_with_models
