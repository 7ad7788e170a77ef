#!/bin/sh
# Cross-validates Tempotrons on Iris over HTTP: five folds, with curl and awk, on a running server.
# Each fold creates a model, trains it on 120 flowers, tests it on the other 30, and deletes it. The
# ranges of the encoder come from the training flowers only, so a model knows nothing of the flowers
# that it is tested on. The shuffle is fixed: every run of this script prints the same figures.
#
#   examples/iris.sh [URL]
set -eu

server=${1:-http://127.0.0.1:8080}
csv=$(dirname "$0")/iris.csv
folds=5
model=

fail() {
    echo "iris.sh: $*" >&2
    exit 1
}

# call METHOD PATH [CURL'S OPTIONS]: prints the body of the answer. Any status except 2xx ends the
# script.
call() {
    method=$1 path=$2
    shift 2
    answer=$(curl -sS -X "$method" -w '\n%{http_code}' "$@" "$server$path") ||
        fail "no answer from $server: is tempotrond running there?"
    status=$(printf '%s\n' "$answer" | tail -n 1)
    answer=$(printf '%s\n' "$answer" | sed '$d')
    case $status in
    2*) printf '%s\n' "$answer" ;;
    *) fail "$method $path was answered with $status: $answer" ;;
    esac
}

# field NAME: reads JSON on stdin and prints the member of that name, which is a number or a word.
field() {
    sed -n 's/.*[{,]"'"$1"'":"\{0,1\}\([^",}]*\).*/\1/p'
}

# Prints the flowers without the header, in an order that is random but always the same. It is the
# shuffle of Fisher and Yates, with the generator of Park and Miller: a double holds its products
# exactly.
shuffled() {
    awk '
        NR > 1 && NF { line[++n] = $0 }
        END {
            random = 2
            for (i = n; i > 1; i--) {
                random = random * 16807 % 2147483647
                j = 1 + random % i
                swap = line[i]; line[i] = line[j]; line[j] = swap
            }
            for (i = 1; i <= n; i++)
                print line[i]
        }' "$csv"
}

flowers_to_train_on() { printf '%s\n' "$flowers" | awk -v k="$1" -v n=$folds 'NR % n != k - 1'; }
flowers_to_test() { printf '%s\n' "$flowers" | awk -v k="$1" -v n=$folds 'NR % n == k - 1'; }

# Prints the JSON of the model, with the ranges of the flowers on stdin.
model_json() {
    awk -F, -v id="$model" '
        NR == 1 { for (i = 1; i <= 4; i++) low[i] = high[i] = $i + 0 }
        {
            for (i = 1; i <= 4; i++) {
                if ($i + 0 < low[i]) low[i] = $i + 0
                if ($i + 0 > high[i]) high[i] = $i + 0
            }
        }
        END {
            printf "{\"id\": \"%s\", \"out_features\": 3, \"T\": 100,", id
            printf " \"labels\": [\"setosa\", \"versicolor\", \"virginica\"],"
            printf " \"encoder\": {\"type\": \"gaussian_tuning\", \"m\": 16,"
            printf " \"max_spike_time\": 100,"
            printf " \"x_min\": [%s, %s, %s, %s],", low[1], low[2], low[3], low[4]
            printf " \"x_max\": [%s, %s, %s, %s]}}\n", high[1], high[2], high[3], high[4]
        }'
}

# samples_json [MORE MEMBERS]: prints the flowers on stdin as {"x": ..., "label": ...}.
samples_json() {
    awk -F, -v more="${1:-}" '
        {
            x = x comma "[" $1 "," $2 "," $3 "," $4 "]"
            label = label comma "\"" $5 "\""
            comma = ","
        }
        END { printf "{\"x\": [%s], \"label\": [%s]%s}\n", x, label, more }'
}

# Leaves nothing on the server when the script ends early. It cancels the run, and deletes its model
# after the run has ended, which takes a moment.
clean_up() {
    [ -n "$model" ] || return 0
    run=$(curl -s "$server/runs?model=$model" | field id)
    [ -z "$run" ] || curl -s -o /dev/null -X POST "$server/runs/$run/cancel" || true
    curl -sf -o /dev/null -X DELETE ${run:+--retry 5 --retry-delay 1 --retry-all-errors} \
        "$server/models/$model" || true
}

settings=', "epochs": 100, "batch_size": 16, "optimizer": "adam", "learning_rate": 0.01,
    "loss": "cross_entropy", "beta": 5'

[ -r "$csv" ] || fail "can't read $csv"
flowers=$(shuffled)
call GET /health/ready >/dev/null
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

echo "fold  trained on  tested on  accuracy"
fold=1
accuracies=
while [ $fold -le $folds ]; do
    model=iris-fold-$fold-$$
    flowers_to_train_on $fold | model_json | call POST /models --data-binary @- >/dev/null
    run=$(flowers_to_train_on $fold | samples_json "$settings" |
        call POST "/models/$model/train" -H 'Prefer: wait=60' --data-binary @-)
    state=$(printf '%s\n' "$run" | field state)
    [ "$state" = succeeded ] || fail "the training of fold $fold is $state: $run"
    tested=$(flowers_to_test $fold | samples_json |
        call POST "/models/$model/evaluate" --data-binary @-)
    count=$(printf '%s\n' "$tested" | field count)
    accuracy=$(printf '%s\n' "$tested" | field accuracy)
    trained_on=$(flowers_to_train_on $fold | awk 'END { print NR }')
    printf '%4d %11d %10d %9.4f\n' $fold "$trained_on" "$count" "$accuracy"
    accuracies="$accuracies $accuracy"
    call DELETE "/models/$model" >/dev/null
    model=
    fold=$((fold + 1))
done
echo "$accuracies" | awk '{ for (i = 1; i <= NF; i++) sum += $i; printf "mean %32.4f\n", sum / NF }'
