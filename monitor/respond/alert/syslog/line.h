/* SPDX-License-Identifier: Apache-2.0 */
/* A notice as a syslog message.
 * Source: RFC 5424, 6 (format), RFC 6587 3.4.1 and RFC 5425 4.3 (octet counting). Internal to syslog/. */
#pragma once

#include "respond/alert/message.h"

struct iv_syslog_sender {
    struct iv_str host; /* PRINTUSASCII, at most 255 characters */
    int64_t facility;
    int64_t enterprise; /* of the structured data's name */
    long process;
};

/* counted: with its length before it, as streams need it. */
void iv_syslog_write(struct iv_buf *out, const struct iv_syslog_sender *sender,
                     const struct iv_notice *notice, struct iv_str link, bool counted);
