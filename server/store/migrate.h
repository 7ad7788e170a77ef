/* migrate.h - brings a database to the newest schema. */
#ifndef SERVER_STORE_MIGRATE_H
#define SERVER_STORE_MIGRATE_H

#include <stdint.h>

#include "server/store/store.h"

enum { MIGRATE_APPLICATION_ID = 0x746d7074 /* "tmpt" */ };

/* The version of the schema that the database has; 0: it is empty. Writes nothing. STORE_FOREIGN,
 * STORE_NEWER. */
enum store_status migrate_check(struct store *store, int64_t *ret_version);
int64_t migrate_newest(void);
/* Applies the migrations after a version, up to another one, each in one transaction. */
enum store_status migrate_database(struct store *store, int64_t version, int64_t to);
/* Whether two databases have the same tables, indices, views and triggers, by their names and their
 * SQL: STORE_ALTERED. The statistics of ANALYZE do not count. */
enum store_status migrate_compare(struct store *store, struct store *other);

#endif
