/* SPDX-License-Identifier: Apache-2.0 */
/* Where the console listens.
 * Guarantee: an address is numeric or "localhost": no name is looked up, so what is bound is what was
 * written. */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct iv_listen {
    int fd; /* bound and listening; the caller closes it */
    bool loopback;
    unsigned port; /* as bound */
    char host[64]; /* for a URL: an IPv6 address stands in brackets */
};

/* True for an address that only this machine reaches. IV_E_REFUSED where the text is no
 * address with a port. */
iv_rc iv_listen_is_loopback(bool *out, struct iv_str text, struct iv_err *err);
/* The port that the text asks for, 0 for one that the system chooses. IV_E_REFUSED as above. */
iv_rc iv_listen_port(unsigned *out, struct iv_str text, struct iv_err *err);
iv_rc iv_listen_open(struct iv_listen *out, struct iv_str text, struct iv_err *err);
