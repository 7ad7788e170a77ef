#!/bin/sh
# Writes old_database.sql, the database of an earlier tempotrond that was killed, and what that
# tempotrond answers after it has gone on with it: old_database.json is about all that a run can no
# longer change, old_database_resumed.json about the runs that it resumed. The earlier one is the last
# whose databases are of version 5. Needs curl and sqlite3.
#
#   tests/golden/old_database.sh EARLIER_TEMPOTROND
#
# The answers name spikes_most max_spikes, as version 6 does.
set -eu

program=$1
folder=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
server=
trap 'kill "$server" 2>/dev/null || :; rm -rf "$work"' EXIT

start() {
    rm -f "$work/log"
    "$program" --listen 127.0.0.1:0 --db "$1" --workers 1 --log errors 2>"$work/log" &
    server=$!
    until grep -qs ready "$work/log"; do :; done
    url=$(sed -n 's/.*ready on //p' "$work/log")
}

# call METHOD PATH [BODY [TYPE]]: the body of the answer is $answer then.
call() {
    answer=$(curl -sS --fail-with-body -X "$1" "$url$2" ${3:+--data-binary "$3"} \
        -H "Content-Type: ${4:-application/json}") || { echo "$1 $2: $answer" >&2 && exit 1; }
}

# await RUN STATE: until the run is in it.
await() {
    until call GET "/runs/$1" && [ "$answer" != "${answer#*\"state\":\"$2\"}" ]; do :; done
}

# train MODEL STATE BODY: queues a run, and waits until it is in the state.
train() {
    call POST "/models/$1/train" "$3"
    run=${answer#{\"id\":} && run=${run%%,*}
    await "$run" "$2"
}

encoder='{"type": "gaussian_tuning", "m": 3, "x_min": [0, 0], "x_max": [9, 9], "max_spike_time": 50}'
x='"x": [[1, 8], [2, 7.5], [8, 1], [7, 2], [5, 5], [4.5, 5.5]]'
samples="$x, \"label\": [0, 0, 1, 1, 2, 2]"
trains='"in_spikes": [[[15, 75], [17, 77], -1], [-1, [30, 60], 32], [5, 6, [7, 8, 9]]]'
table='a,b,kind
1,8,red
2,7.5,red
8,1,green
7,2,green
5,5,blue
4.5,5.5,blue
'

# --- the database ---

start "$work/old.db"
call POST /models "{\"id\": \"single\", \"description\": \"é\", \"out_features\": 3, \"T\": 50,
    \"seed\": 7, \"labels\": [\"red\", \"green\", \"blue\"], \"encoder\": $encoder}"
call POST /models '{"id": "fitted", "out_features": 3, "T": 50, "encoder":
    {"type": "latency", "n": 2, "max_spike_time": 40, "out_of_range": "clamp"}}'
call POST /models "{\"id\": \"hidden\", \"out_features\": 3, \"T\": 50, \"seed\": 5, \"hidden\": [4],
    \"neurons_per_class\": 2, \"clock\": \"continuous\", \"encoder\": $encoder}"
call POST /models '{"id": "counts", "in_features": 3, "out_features": 2, "T": 100, "seed": 3,
    "read_out": "spike_count", "spikes_most": 7}'
call POST /models '{"id": "diverging", "in_features": 1, "out_features": 2, "T": 50,
    "weight": [[1e38], [-1e38]]}'
call POST /models "{\"id\": \"killed\", \"out_features\": 3, \"T\": 20000, \"seed\": 1,
    \"labels\": [\"red\", \"green\", \"blue\"], \"encoder\": $encoder}"
call POST /models "{\"id\": \"waiting\", \"out_features\": 3, \"T\": 50, \"seed\": 2, \"hidden\": [3],
    \"encoder\": $encoder}"
call PUT '/datasets/colours?label=kind' "$table" text/csv
train single succeeded '{"dataset": "colours", "epochs": 4, "learning_rate": 0.1}'
train single succeeded "{$samples, \"validation_fraction\": 0.34, \"epochs\": 3, \"seed\": 4,
    \"optimizer\": \"adam\"}"
train fitted succeeded "{$samples, \"epochs\": 5, \"fit\": true}"
train hidden succeeded "{$samples, \"epochs\": 6, \"learning_rate\": 20,
    \"validation\": {$samples}, \"patience\": 2}"
train counts succeeded "{$trains, \"count\": [[2, 0], [0, 1], [1, 3]], \"epochs\": 12,
    \"learning_rate\": 0.1}"
train diverging failed '{"in_spikes": [[1], [2]], "label": [0, 1], "learning_rate": 1e6}'
train killed running '{"dataset": "colours", "epochs": 40}'
train waiting queued "{$samples, \"epochs\": 7, \"patience\": 3, \"validation\": {$samples}}"
train waiting queued "{$samples}"
call POST "/runs/$run/cancel"
until [ "$(sqlite3 -readonly "$work/old.db" 'SELECT count(*) > 1 FROM metrics WHERE run = 7')" = 1 ]; do :; done
kill -KILL "$server"
wait "$server" || :

{
    echo "-- Made by old_database.sh."
    echo "PRAGMA application_id = $(sqlite3 "$work/old.db" 'PRAGMA application_id');"
    echo "PRAGMA user_version = $(sqlite3 "$work/old.db" 'PRAGMA user_version');"
    sqlite3 "$work/old.db" .dump
} >"$folder/old_database.sql"

# --- the answers ---

# ask METHOD PATH [BODY]: a request and its answer.
ask() {
    call "$@"
    printf '{"method": "%s", "path": "%s", "body": %s,\n "answer": %s},\n' \
        "$1" "$2" "${3:-null}" "$answer"
}

# cases: the requests on stdin as a golden file.
cases() { sed -e 's/"spikes_most"/"max_spikes"/' -e '1s/^/{"cases": [\n/' -e '$s/,$/]}/'; }

# asks MODEL PREDICT_BODY: all that there is of a model.
asks() {
    ask GET "/models/$1"
    ask GET "/models/$1/versions"
    ask GET "/models/$1/weights"
    ask POST "/models/$1/predict" "$2"
}

start "$work/old.db"
await 7 succeeded
await 8 succeeded
{
    asks single "{$x, \"ret_type\": [\"v_max\", \"spikes\"]}"
    ask GET /models/single/versions/1/weights
    asks fitted "{$x, \"ret_type\": [\"v_max\", \"spikes\"]}"
    asks hidden "{$x, \"ret_type\": [\"v_max\", \"hidden_spikes\"]}"
    asks counts "{$trains, \"ret_type\": [\"count\", \"spike_times\"]}"
    ask GET /datasets/colours
    ask POST /models/single/evaluate '{"dataset": "colours"}'
    for run in 1 2 3 4 5 6 9; do
        ask GET "/runs/$run"
        ask GET "/runs/$run/metrics"
    done
} | cases >"$folder/old_database.json"
{
    asks killed "{$x}"
    asks waiting "{$x, \"ret_type\": [\"v_max\", \"hidden_spikes\"]}"
    ask GET /runs/7
    ask GET /runs/8
    ask GET /runs/8/metrics
} | cases >"$folder/old_database_resumed.json"
