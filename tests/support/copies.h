/* copies.h - the commands of a whole database, on that of the fixture's server. */
#ifndef TESTS_SUPPORT_COPIES_H
#define TESTS_SUPPORT_COPIES_H

/* Runs tempotrond COMMAND FILE --db DATABASE in the server's directory, and asserts how it exits.
 */
void copies_run(int status, const char *command, const char *file);

/* Removes what the commands, and tests, have left beside the database: "copy*", "other*" and
 * "*.before-*". */
void copies_remove(void);

#endif
