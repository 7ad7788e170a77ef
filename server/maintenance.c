#include "server/maintenance.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "server/base/timestamp.h"
#include "server/model/model.h"
#include "server/store/backup.h"

static int complain(const char *file, enum store_status status, int error)
{
    const bool has_reason = status == STORE_UNAVAILABLE && error != 0;
    const char *why = status == STORE_TAKEN ? "it exists already" : store_status_text(status);
    fprintf(stderr, "tempotrond: %s: %s\n", file, has_reason ? strerror(error) : why);
    return EXIT_FAILURE;
}

static int backup(const char *file, const char *database)
{
    struct store *store;
    errno = 0;
    enum store_status status = store_open_copy(database, &store);
    if (status != STORE_OK)
        return complain(database, status, errno);
    errno = 0;
    status = store_backup(store, file);
    const int error = errno;
    store_close(store);
    if (status != STORE_OK)
        return complain(file, status, error);
    printf("%s: a copy of %s\n", file, database);
    return EXIT_SUCCESS;
}

static void print_finding(void *context, const char *what, const char *why)
{
    unsigned *findings = context;
    fprintf(stderr, "tempotrond: %s: %s\n", what, why);
    (*findings)++;
}

/* Loads it as a server does: its checksum, its layers, and weights that follow from the seed. */
static enum store_status try_version(struct store *store, const char *id, int64_t version)
{
    struct model *model = NULL;
    const enum store_status status = model_load(store, id, version, true, NULL, &model);
    model_release(model);
    return status;
}

/* Whether nothing in the file is damaged; else it has said what is. */
static bool is_whole(const char *file)
{
    struct store *store;
    unsigned findings = 0;
    const struct store_backup_checker checker = {try_version, print_finding, &findings};
    errno = 0;
    enum store_status status = store_open_copy(file, &store);
    if (status == STORE_OK) {
        status = store_backup_check(store, &checker);
        store_close(store);
    }
    if (status != STORE_OK)
        complain(file, status, errno);
    else if (findings > 0)
        fprintf(stderr, "tempotrond: %s: %u things are damaged\n", file, findings);
    return status == STORE_OK && findings == 0;
}

static int check(const char *file, const char *database)
{
    const char *checked = file != NULL ? file : database;
    if (!is_whole(checked))
        return EXIT_FAILURE;
    printf("%s: ok\n", checked);
    return EXIT_SUCCESS;
}

static int restore(const char *file, const char *database)
{
    char suffix[96], *aside = NULL;
    if (!is_whole(file))
        return EXIT_FAILURE;
    snprintf(suffix, sizeof suffix, ".before-%s", timestamp_text(timestamp_now()).text);
    errno = 0;
    const enum store_status status = store_backup_restore(file, database, suffix, &aside);
    if (status != STORE_OK)
        return complain(database, status, errno);
    printf("%s: restored from %s", database, file);
    if (aside != NULL)
        printf("; what was there is %s", aside);
    putchar('\n');
    free(aside);
    return EXIT_SUCCESS;
}

static const struct {
    const char *name;
    int (*run)(const char *file, const char *database);
    bool needs_file;
} commands[] = {{"backup", backup, true}, {"check", check, false}, {"restore", restore, true}};
enum { COMMANDS = sizeof commands / sizeof *commands };

bool maintenance_is_command(const char *name)
{
    bool found = false;
    for (size_t i = 0; i < COMMANDS; i++)
        found |= strcmp(commands[i].name, name) == 0;
    return found;
}

int maintenance_run(const char *name, const char *file, const char *database)
{
    umask(S_IRWXG | S_IRWXO); /* only its owner may read a database */
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) != 0)
            continue;
        if (file != NULL || !commands[i].needs_file)
            return commands[i].run(file, database);
        fprintf(stderr, "tempotrond: %s: it needs FILE\n", name);
    }
    return EXIT_FAILURE;
}
