#!/bin/sh
# The same work by SpikingJelly, in the same run: SPIKINGJELLY names its checkout, PYTHON an
# interpreter with torch (Debian's python3-torch).
set -eu
python=${PYTHON:-/usr/bin/python3}
if [ -z "${SPIKINGJELLY:-}" ] || ! "$python" -c 'import torch' 2>/dev/null; then
    echo "not compared: needs SPIKINGJELLY, the path of its checkout, and python3-torch"
    exit 0
fi
peer=$("$python" "$(dirname "$0")/spikingjelly.py" "$SPIKINGJELLY")
"${BUILD:-build}/bench/speed" mnist | awk -v train="${peer% *}" -v predict="${peer#* }" '
    BEGIN { print "MNIST, us a sample, one core       tempotrond  SpikingJelly   times" }
    function row(name, mine, theirs) {
        printf "%-34s %11.2f %13.1f %7.0f\n", name, mine, theirs, theirs / mine
    }
    /^train:/   { row("training step of a batch of 64", $(NF - 1), train) }
    /^predict:/ { row("prediction of a single sample", $(NF - 1), predict) }'
