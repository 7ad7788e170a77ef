#include "server/http/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

#include "server/base/named_file.h"

enum { KEY_ID = 64 };

/* A certificate with those that lead to its root, and its key; all are owned. */
struct identity {
    gnutls_x509_crt_t *chain;
    unsigned count;
    gnutls_x509_privkey_t key;
};

static struct {
    const char *certificate, *key;
    bool is_on; /* set while no other thread is there */
    pthread_rwlock_t lock;
    struct identity identity;
} tls = {.lock = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP};

/* --- the files --- */

static void identity_finish(struct identity *identity)
{
    for (unsigned i = 0; i < identity->count; i++)
        gnutls_x509_crt_deinit(identity->chain[i]);
    gnutls_free(identity->chain);
    gnutls_x509_privkey_deinit(identity->key);
    *identity = (struct identity){0};
}

static bool read_chain(const gnutls_datum_t *text, struct identity *identity, char *error,
                       size_t error_size)
{
    const int status =
        gnutls_x509_crt_list_import2(&identity->chain, &identity->count, text, GNUTLS_X509_FMT_PEM,
                                     GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED);
    if (status < 0)
        snprintf(error, error_size, "%.200s: it has no certificate as PEM: %s", tls.certificate,
                 gnutls_strerror(status));
    return status >= 0;
}

static bool read_key(const gnutls_datum_t *text, struct identity *identity, char *error,
                     size_t error_size)
{
    int status = gnutls_x509_privkey_init(&identity->key);
    if (status >= 0)
        status = gnutls_x509_privkey_import2(identity->key, text, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (status < 0)
        snprintf(error, error_size, "%.200s: it has no key as PEM: %s", tls.key,
                 gnutls_strerror(status));
    return status >= 0;
}

/* gnutls_free() them. */
static bool load_file(const char *path, gnutls_datum_t *ret_bytes)
{
    const int file = named_file_open(path, O_RDONLY, NAMED_FILE_TEXT);
    if (file < 0)
        return false;
    unsigned char *bytes = gnutls_malloc(NAMED_FILE_TEXT);
    const ssize_t size = bytes != NULL ? read(file, bytes, NAMED_FILE_TEXT) : -1;
    const int error = errno;
    close(file);
    errno = error;
    if (size < 0) {
        gnutls_free(bytes);
        return false;
    }
    *ret_bytes = (gnutls_datum_t){bytes, (unsigned)size};
    return true;
}

/* Reads a file whole; its bytes are erased before they are freed, since they may be a key's. */
static bool read_file(const char *path,
                      bool (*read)(const gnutls_datum_t *text, struct identity *identity,
                                   char *error, size_t error_size),
                      struct identity *identity, char *error, size_t error_size)
{
    gnutls_datum_t text = {0};
    if (!load_file(path, &text)) {
        snprintf(error, error_size, "%.200s: %s", path, named_file_error(errno));
        return false;
    }
    const bool is_right = read(&text, identity, error, error_size);
    gnutls_memset(text.data, 0, text.size);
    gnutls_free(text.data);
    return is_right;
}

static bool belong_together(const struct identity *identity, char *error, size_t error_size)
{
    unsigned char ids[2][KEY_ID] = {{0}};
    size_t sizes[2] = {KEY_ID, KEY_ID};
    const bool are_known =
        gnutls_x509_crt_get_key_id(identity->chain[0], 0, ids[0], &sizes[0]) >= 0 &&
        gnutls_x509_privkey_get_key_id(identity->key, 0, ids[1], &sizes[1]) >= 0;
    if (are_known && sizes[0] == sizes[1] && memcmp(ids[0], ids[1], sizes[0]) == 0)
        return true;
    snprintf(error, error_size, "%.200s: it is not the key of the certificate in %.200s", tls.key,
             tls.certificate);
    return false;
}

bool tls_reload(char *error, size_t error_size)
{
    struct identity identity = {0};
    if (!read_file(tls.certificate, read_chain, &identity, error, error_size) ||
        !read_file(tls.key, read_key, &identity, error, error_size) ||
        !belong_together(&identity, error, error_size)) {
        identity_finish(&identity);
        return false;
    }
    pthread_rwlock_wrlock(&tls.lock);
    struct identity old = tls.identity;
    tls.identity = identity;
    pthread_rwlock_unlock(&tls.lock);
    identity_finish(&old);
    return true;
}

bool tls_open(const char *certificate, const char *key, char *error, size_t error_size)
{
    tls.certificate = certificate;
    tls.key = key;
    tls.is_on = tls_reload(error, error_size);
    return tls.is_on;
}

void tls_close(void)
{
    identity_finish(&tls.identity);
    tls.is_on = false;
}

bool tls_is_on(void)
{
    return tls.is_on;
}

/* --- a handshake --- */

/* Copies of both: an old certificate is freed while handshakes with it go on. The lock is held. */
static int copy_identity(gnutls_pcert_st *chain, unsigned count, gnutls_privkey_t *ret_key)
{
    unsigned copied = 0;
    int status = gnutls_privkey_init(ret_key);
    if (status < 0)
        return status;
    status = gnutls_privkey_import_x509(*ret_key, tls.identity.key, GNUTLS_PRIVKEY_IMPORT_COPY);
    for (; status >= 0 && copied < count; copied += status >= 0)
        status = gnutls_pcert_import_x509(&chain[copied], tls.identity.chain[copied], 0);
    if (status >= 0)
        return 0;
    while (copied > 0)
        gnutls_pcert_deinit(&chain[--copied]);
    gnutls_privkey_deinit(*ret_key);
    return status;
}

static int give_certificate(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                            gnutls_pcert_st **ret_chain, unsigned *ret_count,
                            gnutls_ocsp_data_st **ret_ocsp, unsigned *ret_ocsp_count,
                            gnutls_privkey_t *ret_key, unsigned *ret_flags)
{
    (void)session;
    (void)info;
    pthread_rwlock_rdlock(&tls.lock);
    const unsigned count = tls.identity.count;
    gnutls_pcert_st *chain = gnutls_calloc(count, sizeof *chain);
    const int status = chain != NULL ? copy_identity(chain, count, ret_key) : GNUTLS_E_MEMORY_ERROR;
    pthread_rwlock_unlock(&tls.lock);
    if (status < 0) {
        gnutls_free(chain);
        return status;
    }
    *ret_chain = chain;
    *ret_count = count;
    *ret_ocsp = NULL;
    *ret_ocsp_count = 0;
    *ret_flags = GNUTLS_CERT_RETR_DEINIT_ALL;
    return 0;
}

void *tls_certificate_callback(void)
{
    return (void *)give_certificate;
}

/* --- without libmicrohttpd --- */

void tls_send(struct MHD_Connection *connection, const char *bytes, size_t size)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (info != NULL)
        gnutls_record_send(info->tls_session, bytes, size);
}

static bool exchange(gnutls_session_t session, const char *text, char *answer, size_t size)
{
    int status;
    size_t received = 0;
    do
        status = gnutls_handshake(session);
    while (status < 0 && gnutls_error_is_fatal(status) == 0 && status != GNUTLS_E_AGAIN);
    if (status < 0 || gnutls_record_send(session, text, strlen(text)) < 0)
        return false;
    while (received < size) {
        const ssize_t piece = gnutls_record_recv(session, answer + received, size - received);
        if (piece <= 0)
            break;
        received += (size_t)piece;
    }
    return received == size;
}

bool tls_ask(int socket, const char *text, char *answer, size_t size)
{
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
    bool has_answered = false;
    if (gnutls_certificate_allocate_credentials(&credentials) < 0)
        return false;
    if (gnutls_init(&session, GNUTLS_CLIENT) >= 0) {
        gnutls_transport_set_int(session, socket);
        has_answered = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials) >= 0 &&
                       gnutls_priority_set_direct(session, TLS_PRIORITIES, NULL) >= 0 &&
                       exchange(session, text, answer, size);
        gnutls_deinit(session);
    }
    gnutls_certificate_free_credentials(credentials);
    return has_answered;
}
