/* files.h - files that exist only while a test reads them, whole and broken. */
#ifndef TESTS_SUPPORT_FILES_H
#define TESTS_SUPPORT_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    unsigned char *at; /* owned */
    size_t size;
    size_t capacity; /* that bytes_add() may fill; less than `size` if it never was called */
};

/* A copy of some bytes; more of them after it. */
struct bytes bytes_of(const void *at, size_t size);
void bytes_add(struct bytes *bytes, const void *at, size_t size);
void bytes_finish(struct bytes *bytes);

/* The same, as a stream of gzip; and what a whole stream holds. */
struct bytes bytes_gzipped(const struct bytes *bytes);
struct bytes bytes_inflated(const void *at, size_t size);

/* A file of these bytes, in memory; to be closed. */
int file_of(const struct bytes *bytes);

/* Numbers that are the same in every run; *state must not be 0. */
uint32_t next_random(uint32_t *state);

/* A copy with one to four bytes changed, inserted, cut out or doubled, or with its end cut off. */
struct bytes bytes_mutated(const struct bytes *bytes, uint32_t *state);

/* Gives mutants of three files, which it takes, gzipped and not, to a test with the number of the
 * round. That says whether it could read all of one: it must in some rounds, and in fewer than
 * half.
 */
typedef bool mutant_test(const struct bytes *mutant, unsigned long round);
void mutate_files(struct bytes files[3], uint32_t seed, mutant_test *is_read);

/* A text, then so many bytes of one character. */
struct bytes bytes_padded(const char *text, char character, size_t size);

#endif
