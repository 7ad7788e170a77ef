#include "tests/support/copies.h"

#include <check.h>
#include <glob.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/support/fixture.h"
#include "tests/support/program.h"

void copies_run(int status, const char *command, const char *file)
{
    const struct program_result result =
        program_run(server.directory, FLAGS(command, file, "--db", server.database));
    ck_assert_msg(result.status == status, "%s %s: %d, %s", command, file, result.status,
                  result.error);
}

void copies_remove(void)
{
    static const char *const patterns[] = {"copy*", "*.before-*", "other*"};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        glob_t found;
        char pattern[SERVICE_PATH];
        snprintf(pattern, sizeof pattern, "%s/%s", server.directory, patterns[i]);
        if (glob(pattern, 0, NULL, &found) != 0)
            continue;
        for (size_t k = 0; k < found.gl_pathc; k++)
            unlink(found.gl_pathv[k]);
        globfree(&found);
    }
}
