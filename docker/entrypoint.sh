#!/bin/sh
# Gives --listen and --db other defaults in the container: all addresses, and a file in the volume. ENV in
# the image would not do: to tempotrond an empty variable counts as unset, so that `-e TEMPOTROND_DB=`
# would put the database outside of the volume. Keys have no default here: a container is reachable, so
# its start has to name a key file, or say TEMPOTROND_API_KEY_FILE=none.
export TEMPOTROND_LISTEN="${TEMPOTROND_LISTEN:-:8080}"
export TEMPOTROND_DB="${TEMPOTROND_DB:-/data/tempotron.db}"
exec tempotrond "$@"
