/* maintenance.h - tempotrond backup, check and restore: what is done to a database as a whole. */
#ifndef SERVER_MAINTENANCE_H
#define SERVER_MAINTENANCE_H

#include <stdbool.h>

/* Whether `name` is one of these commands. */
bool maintenance_is_command(const char *name);

/* Runs it on the database of the options, on the file that the command names (NULL: none). Prints
 * what it did, or what is wrong. Returns the status to exit with. */
int maintenance_run(const char *name, const char *file, const char *database);

#endif
