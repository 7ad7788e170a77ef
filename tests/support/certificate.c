#include "tests/support/certificate.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/x509.h>

#include "tests/support/http.h"

static void write_file(const char *path, const gnutls_datum_t *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text->data, 1, text->size, file), text->size);
    ck_assert_int_eq(fclose(file), 0);
}

static void fill_in(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const char *name)
{
    static const unsigned char loopback[] = {127, 0, 0, 1};
    enum { DAY = 86400 };
    const time_t now = time(NULL);
    gnutls_x509_crt_set_version(crt, 3);
    gnutls_x509_crt_set_serial(crt, "\1", 1);
    gnutls_x509_crt_set_activation_time(crt, now - DAY);
    gnutls_x509_crt_set_expiration_time(crt, now + DAY);
    gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                  (unsigned)strlen(name));
    gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, loopback, sizeof loopback, 0);
    gnutls_x509_crt_set_basic_constraints(crt, 1, -1);
    gnutls_x509_crt_set_key(crt, key);
    ck_assert_int_ge(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), 0);
}

void certificate_make(const char *certificate, const char *key, const char *name)
{
    gnutls_x509_crt_t crt;
    gnutls_x509_privkey_t private;
    gnutls_datum_t text;
    ck_assert_int_ge(gnutls_x509_privkey_init(&private), 0);
    ck_assert_int_ge(gnutls_x509_privkey_generate(private, GNUTLS_PK_ECDSA,
                                                  GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
                                                  0),
                     0);
    ck_assert_int_ge(gnutls_x509_crt_init(&crt), 0);
    fill_in(crt, private, name);
    ck_assert_int_ge(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &text), 0);
    write_file(certificate, &text);
    gnutls_free(text.data);
    ck_assert_int_ge(gnutls_x509_privkey_export2(private, GNUTLS_X509_FMT_PEM, &text), 0);
    write_file(key, &text);
    gnutls_free(text.data);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(private);
}

struct tls_client {
    int socket;
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
};

void tls_client_close(struct tls_client *client)
{
    gnutls_deinit(client->session);
    gnutls_certificate_free_credentials(client->credentials);
    close(client->socket);
    free(client);
}

void tls_client_say_bye(struct tls_client *client)
{
    gnutls_bye(client->session, GNUTLS_SHUT_WR);
}

struct tls_client *tls_client_connect(const struct service *service, const char *priorities)
{
    int status;
    struct tls_client *client = malloc(sizeof *client);
    ck_assert_ptr_nonnull(client);
    const struct timeval patience = {.tv_sec = service_patience() / 1000};
    client->socket = http_connect(service);
    setsockopt(client->socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ck_assert_int_ge(gnutls_certificate_allocate_credentials(&client->credentials), 0);
    ck_assert_int_ge(gnutls_init(&client->session, GNUTLS_CLIENT), 0);
    gnutls_credentials_set(client->session, GNUTLS_CRD_CERTIFICATE, client->credentials);
    gnutls_transport_set_int(client->session, client->socket);
    ck_assert_int_ge(gnutls_priority_set_direct(client->session,
                                                priorities != NULL ? priorities : "NORMAL", NULL),
                     0);
    do
        status = gnutls_handshake(client->session);
    while (status < 0 && status != GNUTLS_E_AGAIN && gnutls_error_is_fatal(status) == 0);
    if (status >= 0)
        return client;
    tls_client_close(client);
    return NULL;
}

void tls_client_read_name(const struct tls_client *client, char ret_name[TLS_CLIENT_NAME])
{
    unsigned count;
    size_t size = TLS_CLIENT_NAME;
    gnutls_x509_crt_t crt;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(client->session, &count);
    ck_assert(chain != NULL && count > 0);
    ck_assert_int_ge(gnutls_x509_crt_init(&crt), 0);
    ck_assert_int_ge(gnutls_x509_crt_import(crt, chain, GNUTLS_X509_FMT_DER), 0);
    ck_assert_int_ge(
        gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, ret_name, &size), 0);
    gnutls_x509_crt_deinit(crt);
}

size_t tls_client_ask(struct tls_client *client, const char *text, char *answer, size_t size)
{
    size_t received = 0;
    ck_assert_int_eq(gnutls_record_send(client->session, text, strlen(text)),
                     (ssize_t)strlen(text));
    while (received < size) {
        const ssize_t piece =
            gnutls_record_recv(client->session, answer + received, size - received);
        if (piece <= 0)
            break;
        received += (size_t)piece;
    }
    answer[received] = '\0';
    return received;
}
