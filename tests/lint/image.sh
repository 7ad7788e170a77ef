#!/bin/sh
# Fails if the image can't be built from what .dockerignore lets in: tells make to say what it would
# do in a folder that has nothing else.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sed -n 's/^!//p' .dockerignore | xargs cp -r --parents -t "$folder" &&
    make -C "$folder" -n all >/dev/null || {
    echo ".dockerignore leaves out what the build needs"
    exit 1
}
