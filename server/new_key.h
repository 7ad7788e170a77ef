/* new_key.h - tempotrond new-key NAME ROLE [REQUESTS]: makes an API key. */
#ifndef SERVER_NEW_KEY_H
#define SERVER_NEW_KEY_H

/* Prints the line of a new key for a key file (see server/http/keys.h) to stdout, and the key
 * itself, which is kept nowhere, to stderr. Arguments are those after the command. Returns the
 * status to exit with. */
int new_key(int argc, char **argv);

#endif
