/* SPDX-License-Identifier: Apache-2.0 */
/* What a notice says: one line, and as JSON.
 * Owner/thread: pure. */
#pragma once

#include "base/json_write.h"
#include "evidence/alert.h"

/* "FIRING critical TOK-002 Token used after it was revoked: tenant acme, agent agent-7, 12 findings". No
 * control characters. */
void iv_message_line(struct iv_buf *out, const struct iv_notice *notice);
/* "Resolved: not found again for 300 s", or the detail of a condition; may be empty. */
void iv_message_cause(struct iv_buf *out, const struct iv_notice *notice);
/* The console's page about it; empty where link is not known. */
void iv_message_link(struct iv_buf *out, const struct iv_notice *notice, struct iv_str link);
/* What a repetition of the notice is known by: fingerprint and number. */
void iv_message_key(struct iv_buf *out, const struct iv_notice *notice);
/* The object's members, inside an open object. */
void iv_message_members(struct iv_json *j, const struct iv_notice *notice, struct iv_str link);
/* As it is, without control characters, cut to at most max bytes at the end of a character. */
void iv_message_plain(struct iv_buf *out, struct iv_str text, size_t max);
