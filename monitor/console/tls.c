/* SPDX-License-Identifier: Apache-2.0 */
#include "console/tls.h"

#include "base/file.h"
#include "base/guard.h"
#include "base/utf8.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

enum { PEM_BYTES_MAX = 1 << 20 };

const char iv_tls_priorities[] = "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

static iv_rc read_pem(struct iv_buf *out, struct iv_str path, const char *what, struct iv_err *err)
{
    iv_buf_init(out, PEM_BYTES_MAX);
    if (path.n == 0) {
        return IV_OK;
    }
    struct iv_err why;
    ENSURE(iv_ok(iv_file_read(out, path, &why)), err, IV_E_REFUSED, "%s: %s", what, why.text);
    ENSURE(out->n > 0 && strlen(out->p) == out->n && strstr(out->p, "-----BEGIN ") != NULL, err, IV_E_REFUSED,
           "%s: '" IV_STR_FMT "' holds no PEM", what, IV_STR_ARG(path));
    return IV_OK;
}

iv_rc iv_tls_read(struct iv_console *console, const struct iv_console_options *options, struct iv_err *err)
{
    TRY(read_pem(&console->certificate, options->certificate, "console.tls.certificate", err));
    TRY(read_pem(&console->key, options->key, "console.tls.key", err));
    TRY(read_pem(&console->client_ca, options->client_ca, "console.tls.client_ca", err));
    ENSURE((console->certificate.n > 0) == (console->key.n > 0), err, IV_E_REFUSED,
           "console.tls needs both certificate and key, or neither");
    ENSURE(console->client_ca.n == 0 || console->certificate.n > 0, err, IV_E_REFUSED,
           "console.tls.client_ca needs console.tls.certificate and console.tls.key as well");
    return IV_OK;
}

/* The library asks for a certificate and leaves the judgement to us. */
bool iv_tls_peer_is_known(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (info == NULL || info->tls_session == NULL) {
        return false;
    }
    gnutls_session_t session = (gnutls_session_t)info->tls_session;
    unsigned status = UINT32_MAX;
    unsigned count = 0;
    if (gnutls_certificate_get_peers(session, &count) == NULL || count == 0) {
        return false;
    }
    gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                     .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT};
    return gnutls_certificate_verify_peers(session, &purpose, 1, &status) == GNUTLS_E_SUCCESS && status == 0;
}

static bool common_name(char *out, size_t n, iv_ns *expires, gnutls_session_t session)
{
    unsigned count = 0;
    gnutls_x509_crt_t certificate;
    const gnutls_datum_t *shown = gnutls_certificate_get_peers(session, &count);
    if (shown == NULL || count == 0 || gnutls_x509_crt_init(&certificate) != GNUTLS_E_SUCCESS) {
        return false;
    }
    bool good = gnutls_x509_crt_import(certificate, &shown[0], GNUTLS_X509_FMT_DER) == GNUTLS_E_SUCCESS &&
                gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, out, &n) ==
                    GNUTLS_E_SUCCESS;
    time_t end = gnutls_x509_crt_get_expiration_time(certificate);
    *expires = end < (time_t)(IV_NS_MAX / IV_NS_PER_S) ? (iv_ns)end * IV_NS_PER_S : IV_NS_MAX;
    gnutls_x509_crt_deinit(certificate);
    return good;
}

bool iv_tls_peer_name(char *out, size_t n, iv_ns *expires, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (info == NULL || info->tls_session == NULL ||
        !common_name(out, n, expires, (gnutls_session_t)info->tls_session) || out[0] == '\0') {
        return false;
    }
    for (const char *p = out; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            return false;
        }
    }
    return iv_utf8_valid(iv_str_of(out));
}
