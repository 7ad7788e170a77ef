#include "server/http/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "server/base/checksum.h"
#include "server/base/named_file.h"
#include "server/base/timestamp.h"
#include "server/http/route.h"

#define SECOND INT64_C(1000000000) /* nanoseconds */

static const char blanks[] = " \t\r\n";

struct key {
    uint8_t digest[CHECKSUM_BYTES];
    struct keys_holder holder;
    int64_t interval; /* nanoseconds from one request to the next; 0: as many as it likes */
    /* When all requests so far are paid for, one an interval. A key may be up to a second ahead of
     * its time: its bucket holds the requests of a second. */
    _Atomic int64_t paid_until;
};

struct key_list {
    size_t count;
    struct key *keys; /* owned */
};

struct keys {
    const char *path;
    pthread_rwlock_t lock;
    struct key_list list;
};

/* --- roles --- */

static const char *const role_names[] = {
    [ROLE_NONE] = "none",
    [ROLE_READ_ONLY] = "read-only",
    [ROLE_READ_WRITE] = "read-write",
    [ROLE_ADMIN] = "admin",
};

const char *role_name(enum role role)
{
    return role_names[role];
}

bool role_read(const char *name, enum role *ret_role)
{
    for (enum role role = ROLE_READ_ONLY; role <= ROLE_ADMIN; role++)
        if (strcmp(name, role_names[role]) == 0) {
            *ret_role = role;
            return true;
        }
    return false;
}

/* --- the file --- */

/* A file that is being read; what is wrong is told with the number of the line. */
struct key_file {
    const char *path;
    unsigned line;
    struct key_list list;
    char *error;
    size_t error_size;
};

__attribute__((format(printf, 2, 3))) static bool wrong(const struct key_file *file,
                                                        const char *format, ...)
{
    va_list arguments;
    const int size = snprintf(file->error, file->error_size, "%.200s:%u: ", file->path, file->line);
    va_start(arguments, format);
    vsnprintf(file->error + size, file->error_size - (size_t)size, format, arguments);
    va_end(arguments);
    return false;
}

/* "sha256:" and 64 hexadecimal digits. */
static bool read_digest(const char *text, uint8_t *ret_digest)
{
    static const char prefix[] = "sha256:";
    uint8_t digest[CHECKSUM_BYTES];
    if (strncmp(text, prefix, sizeof prefix - 1) != 0)
        return false;
    text += sizeof prefix - 1;
    if (strspn(text, "0123456789abcdefABCDEF") != 2 * sizeof digest ||
        text[2 * sizeof digest] != '\0')
        return false;
    for (size_t i = 0; i < sizeof digest; i++) {
        const char byte[] = {text[2 * i], text[2 * i + 1], '\0'};
        digest[i] = (uint8_t)strtoul(byte, NULL, 16);
    }
    memcpy(ret_digest, digest, sizeof digest);
    return true;
}

bool keys_read_rate(const char *text, int64_t *ret_interval)
{
    char *end;
    const unsigned long rate = strtoul(text, &end, 10);
    if (strspn(text, "0123456789") == 0 || *end != '\0' || rate == 0 || rate > LIMIT_KEY_RATE)
        return false;
    *ret_interval = SECOND / (int64_t)rate;
    return true;
}

static bool is_new(const struct key_file *file, const struct key *key)
{
    for (size_t i = 0; i < file->list.count; i++) {
        const struct key *other = &file->list.keys[i];
        if (strcmp(other->holder.name, key->holder.name) == 0)
            return wrong(file, "the name %s is given twice", key->holder.name);
        if (checksum_is_equal(other->digest, key->digest))
            return wrong(file, "it is the same key as that of %s", other->holder.name);
    }
    return true;
}

/* Reads the words of a line, which is cut into them. Errors don't quote the word in the place of
 * the checksum, in case somebody wrote the key itself there. */
static bool read_key(const struct key_file *file, char *line, struct key *key)
{
    char *rest;
    const char *name = strtok_r(line, blanks, &rest), *role = strtok_r(NULL, blanks, &rest);
    const char *digest = strtok_r(NULL, blanks, &rest), *rate = strtok_r(NULL, blanks, &rest);
    if (digest == NULL || strtok_r(NULL, blanks, &rest) != NULL)
        return wrong(file, "a line is NAME ROLE sha256:HEX, and REQUESTS_A_SECOND if they are "
                           "limited");
    if (!route_is_id(name, strlen(name)))
        return wrong(file, KEYS_NAME_RULE);
    strcpy(key->holder.name, name);
    if (!role_read(role, &key->holder.role))
        return wrong(file, KEYS_ROLE_RULE);
    if (!read_digest(digest, key->digest))
        return wrong(file, "after the role stands sha256: and 64 hexadecimal digits");
    if (rate != NULL && !keys_read_rate(rate, &key->interval))
        return wrong(file, KEYS_RATE_RULE);
    return is_new(file, key);
}

static bool add_key(struct key_file *file, const struct key *key)
{
    struct key_list *list = &file->list;
    if (list->count == LIMIT_KEYS)
        return wrong(file, "it has more than %d keys", LIMIT_KEYS);
    struct key *keys = realloc(list->keys, (list->count + 1) * sizeof *keys);
    if (keys == NULL)
        return wrong(file, "out of memory");
    list->keys = keys;
    list->keys[list->count++] = *key;
    return true;
}

static bool read_lines(FILE *stream, struct key_file *file)
{
    char *line = NULL;
    size_t size = 0;
    bool is_right = true;
    while (is_right && getline(&line, &size, stream) > 0) {
        struct key key = {0};
        const char *begin = line + strspn(line, blanks);
        file->line++;
        if (*begin != '\0' && *begin != '#')
            is_right = read_key(file, line, &key) && add_key(file, &key);
    }
    free(line);
    return is_right;
}

static bool refuse(const struct key_file *file, const char *why)
{
    snprintf(file->error, file->error_size, "%.200s: %s", file->path, why);
    return false;
}

/* On failure, nothing is to be freed. */
static bool read_file(const char *path, struct key_list *ret_list, char *error, size_t error_size)
{
    struct key_file file = {.path = path, .error = error, .error_size = error_size};
    struct stat about;
    const int descriptor = named_file_open(path, O_RDONLY, NAMED_FILE_TEXT);
    FILE *stream = descriptor >= 0 ? fdopen(descriptor, "r") : NULL;
    if (stream == NULL)
        return refuse(&file, named_file_error(errno));
    bool is_right = fstat(fileno(stream), &about) == 0 && (about.st_mode & S_IWOTH) == 0;
    if (!is_right)
        refuse(&file, "every user may write to it");
    is_right = is_right && read_lines(stream, &file);
    if (is_right && ferror(stream))
        is_right = refuse(&file, "it can't be read");
    else if (is_right && file.list.count == 0)
        is_right = refuse(&file, "it has no key; tempotrond new-key NAME ROLE makes one");
    fclose(stream);
    if (is_right)
        *ret_list = file.list;
    else
        free(file.list.keys);
    return is_right;
}

struct keys *keys_create(const char *path, char *error, size_t error_size)
{
    struct keys *keys = malloc(sizeof *keys);
    if (keys == NULL) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    *keys = (struct keys){.path = path, .lock = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP};
    if (read_file(path, &keys->list, error, error_size))
        return keys;
    free(keys);
    return NULL;
}

bool keys_reload(struct keys *keys, char *error, size_t error_size)
{
    struct key_list list;
    if (!read_file(keys->path, &list, error, error_size))
        return false;
    pthread_rwlock_wrlock(&keys->lock);
    const struct key_list old = keys->list;
    keys->list = list;
    pthread_rwlock_unlock(&keys->lock);
    free(old.keys);
    return true;
}

void keys_destroy(struct keys *keys)
{
    if (keys == NULL)
        return;
    pthread_rwlock_destroy(&keys->lock);
    free(keys->list.keys);
    free(keys);
}

/* --- looking for one --- */

/* The key of "Bearer KEY"; NULL if it is none. */
static const char *bearer_of(const char *authorization)
{
    static const char scheme[] = "Bearer ";
    if (authorization == NULL || strncasecmp(authorization, scheme, sizeof scheme - 1) != 0)
        return NULL;
    const char *key = authorization + sizeof scheme - 1;
    key += strspn(key, " ");
    return *key != '\0' && strlen(key) <= LIMIT_KEY ? key : NULL;
}

/* Looks at every key, wherever the one that it finds stands. */
static struct key *find(const struct key_list *list, const uint8_t *digest)
{
    struct key *found = NULL;
    for (size_t i = 0; i < list->count; i++)
        if (checksum_is_equal(list->keys[i].digest, digest))
            found = &list->keys[i];
    return found;
}

static bool take_request(struct key *key)
{
    const int64_t now = timestamp_monotonic_ns();
    int64_t paid_until = atomic_load(&key->paid_until), from;
    do {
        from = paid_until > now ? paid_until : now;
        if (key->interval > 0 && from - now > SECOND - key->interval)
            return false;
    } while (!atomic_compare_exchange_weak(&key->paid_until, &paid_until, from + key->interval));
    return true;
}

enum keys_verdict keys_find(struct keys *keys, const char *authorization,
                            struct keys_holder *ret_holder)
{
    uint8_t digest[CHECKSUM_BYTES];
    enum keys_verdict verdict = KEYS_UNKNOWN;
    const char *text = bearer_of(authorization);
    if (text == NULL)
        return KEYS_MISSING;
    checksum_digest(text, strlen(text), digest);
    pthread_rwlock_rdlock(&keys->lock);
    struct key *key = find(&keys->list, digest);
    if (key != NULL) {
        *ret_holder = key->holder;
        verdict = take_request(key) ? KEYS_KNOWN : KEYS_TOO_FAST;
    }
    pthread_rwlock_unlock(&keys->lock);
    return verdict;
}
