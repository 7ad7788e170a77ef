/* keys.h - the API keys: which clients may ask, and for what.
 *
 * A key file has a line for each key, comments that begin with #, and blank lines:
 *
 *   # name      role        SHA-256 of the key       requests a second (optional)
 *   dashboard   read-only   sha256:9f86d0...0f00a08  50
 *
 * A key is 256 random bits, which new_key.c makes. A slow hash protects passwords, which can be
 * guessed; 256 bits can't, so that a fast one is enough, and clients without a key can't make the
 * server work. A key that a client sends is hashed and compared with all keys of the file, each in
 * constant time: how long it takes says nothing of how much of a key is right. */
#ifndef SERVER_HTTP_KEYS_H
#define SERVER_HTTP_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/limits.h"

/* What a key is good for; each role may do what those before it may. */
enum role {
    ROLE_NONE,       /* no key is needed */
    ROLE_READ_ONLY,  /* asks and computes, and changes nothing */
    ROLE_READ_WRITE, /* changes models, datasets and runs */
    ROLE_ADMIN       /* sees all of the database at once */
};

/* "read-only", "read-write" or "admin"; "none". */
const char *role_name(enum role role);
/* False if a text is not the name of a role that a key can have. */
bool role_read(const char *name, enum role *ret_role);

/* What a line of a key file has to hold, as problems of it say. */
#define KEYS_NAME_RULE "a name has 1 to 63 of a-z, 0-9, _ and -, and begins with one of a-z or 0-9"
#define KEYS_ROLE_RULE "a role is read-only, read-write or admin"
#define KEYS_RATE_RULE "requests a second are a whole number from 1 to 1000000"

/* The number of requests a second, as nanoseconds from one to the next; false if it is not one. */
bool keys_read_rate(const char *text, int64_t *ret_interval);

struct keys;

/* The client that a key stands for. */
struct keys_holder {
    enum role role;
    char name[LIMIT_ID + 1];
};

enum keys_verdict {
    KEYS_MISSING, /* there is no Authorization: Bearer */
    KEYS_UNKNOWN,
    KEYS_TOO_FAST, /* the key has used up its requests of this second */
    KEYS_KNOWN
};

/* Reads a key file, whose path is borrowed. NULL, with a sentence in error[error_size] that names
 * the file and the line. */
struct keys *keys_create(const char *path, char *error, size_t error_size);

/* Reads the file again, while other threads look for keys. False likewise: the keys stay. */
bool keys_reload(struct keys *keys, char *error, size_t error_size);

void keys_destroy(struct keys *keys); /* takes NULL */

/* Looks for the key of an Authorization header (NULL: there is none), and takes one request of its
 * rate. *ret_holder is set if the key is known, also if it is too fast. From any thread. */
enum keys_verdict keys_find(struct keys *keys, const char *authorization,
                            struct keys_holder *ret_holder);

#endif
