/* SPDX-License-Identifier: Apache-2.0 */
/* What an event says, apart from how its bytes say it (contract "Duplicates").
 * Telemetry: its attributes and the fields of its type, as decoded. Ledger: its ledgerhash, and its canonical
 * form without ledgerhash, which stands for the hash that recomputes. struct iv_event.content is the fast
 * form, under a key that is random for each process; the identifier here is the same on every run and
 * machine, for uids that must be. */
#pragma once

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "event/event.h"

/* The first 16 bytes of the SHA-256 over the content. scratch is cleared and
 * written; reuse it. IV_E_NOMEM. */
iv_rc iv_event_content_id(unsigned char out[IV_CONTENT_ID_BYTES], struct iv_digester *digester,
                          struct iv_buf *scratch, const struct iv_event *event, struct iv_err *err);

/* The bytes behind both: equal exactly when the contents are. Appends; asks for iv_buf_failed afterwards. */
void iv_event_content_bytes(struct iv_buf *out, const struct iv_event *event);
