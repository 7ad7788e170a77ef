/* timestamp.h - times as the store keeps them, and as the answers write them. */
#ifndef SERVER_TIMESTAMP_H
#define SERVER_TIMESTAMP_H

#include <stdint.h>

#include "json_writer.h"

/* Milliseconds since 1970 UTC. */
int64_t timestamp_now(void);

/* Writes e.g. "2026-11-24T08:30:00.125Z" (RFC 3339), or null for 0. */
void timestamp_write(struct json_writer *writer, int64_t milliseconds);

#endif
