/* SPDX-License-Identifier: Apache-2.0 */
/* TLS as the HTTP library does it (GnuTLS). */
#pragma once

#include "console/server.h"

/* What is offered: TLS 1.3 and 1.2. */
extern const char iv_tls_priorities[];

/* Reads the PEM files of the options. IV_E_REFUSED: one without the other. */
iv_rc iv_tls_read(struct iv_console *console, const struct iv_console_options *options, struct iv_err *err);

/* True when the client showed a certificate that verifies under console.tls.client_ca. */
bool iv_tls_peer_is_known(struct MHD_Connection *connection);
/* The common name of its certificate, where that is text that can be shown, and when it expires. */
bool iv_tls_peer_name(char *out, size_t n, iv_ns *expires, struct MHD_Connection *connection);
