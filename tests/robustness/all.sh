#!/bin/sh
# Runs the scripts that it is given, one after the other, and shows each one's line of figures, with
# all that it printed if a promise is broken. Exits 1 if any is.
status=0
for script; do
    name=$(basename "$script" .py)
    begin=$(date +%s)
    figures=$(timeout "${LIMIT:-300}" "${PYTHON:-/usr/bin/python3}" -B "$script" 2>&1)
    ended=$?
    echo "$name: $figures ($(($(date +%s) - begin)) s)"
    [ $ended = 0 ] && continue
    echo "== $name: exit status $ended"
    status=1
done
exit $status
