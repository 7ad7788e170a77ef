#include "server/new_key.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "server/base/checksum.h"
#include "server/http/keys.h"
#include "server/http/route.h"

/* A program that looks for forgotten secrets finds a key by its prefix. */
#define PREFIX "tempotron_"

enum { RANDOM_BYTES = 32, KEY_TEXT = sizeof PREFIX + 2 * RANDOM_BYTES };

static bool make_key(char ret_text[KEY_TEXT])
{
    uint8_t bytes[RANDOM_BYTES];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return false;
    char *at = stpcpy(ret_text, PREFIX);
    for (size_t i = 0; i < sizeof bytes; i++)
        at += sprintf(at, "%02x", bytes[i]);
    return true;
}

static int complain(const char *what)
{
    fprintf(stderr, "tempotrond: new-key: %s\n", what);
    return EXIT_FAILURE;
}

int new_key(int argc, char **argv)
{
    char key[KEY_TEXT], digest[CHECKSUM_TEXT];
    enum role role;
    struct checksum checksum;
    int64_t interval;
    if (argc < 2 || argc > 3)
        return complain("it needs NAME ROLE, and REQUESTS a second if they are limited");
    if (!route_is_id(argv[0], strlen(argv[0])))
        return complain(KEYS_NAME_RULE);
    if (!role_read(argv[1], &role))
        return complain(KEYS_ROLE_RULE);
    if (argc == 3 && !keys_read_rate(argv[2], &interval))
        return complain(KEYS_RATE_RULE);
    if (!make_key(key))
        return complain("there are no random numbers");
    checksum_init(&checksum);
    checksum_add(&checksum, key, strlen(key));
    checksum_finish(&checksum, digest);
    printf("%s %s sha256:%s%s%s\n", argv[0], argv[1], digest, argc == 3 ? " " : "",
           argc == 3 ? argv[2] : "");
    fprintf(stderr, "%s\n", key);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
