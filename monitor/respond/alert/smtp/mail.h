/* SPDX-License-Identifier: Apache-2.0 */
/* A notice as a mail.
 * Source: RFC 5322 (format), RFC 2047 (words of a header that are not ASCII), RFC 2045 (base64), RFC 3834
 * (Auto-Submitted). Internal to smtp/. */
#pragma once

#include "respond/alert/message.h"

struct iv_mail_sender {
    struct iv_str from; /* an address, as in the headers */
    const struct iv_str *to;
    size_t to_count;
    iv_ns now;
};

/* The whole mail with CR LF. The notices of an alert are one thread: all refer to a message of its own. */
void iv_mail_write(struct iv_buf *out, const struct iv_mail_sender *sender, const struct iv_notice *notice,
                   struct iv_str link);
/* Whether it may stand in a header and in SMTP's dialogue as an address: local@domain, ASCII, no blanks. */
bool iv_mail_address(struct iv_str text);
