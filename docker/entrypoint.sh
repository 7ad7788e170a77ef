#!/bin/sh
# What differs in the container from the defaults of tempotrond: it serves on all addresses, and keeps
# its database in the volume. An empty variable counts as unset, here as in tempotrond.
export TEMPOTROND_LISTEN="${TEMPOTROND_LISTEN:-:8080}"
export TEMPOTROND_DB="${TEMPOTROND_DB:-/data/tempotron.db}"
exec tempotrond "$@"
