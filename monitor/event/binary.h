/* SPDX-License-Identifier: Apache-2.0 */
/* CloudEvents in Kafka: which mode a record is in, and a binary record as the structured event that it
 * stands for. For the files of this folder only.
 * Source: CloudEvents Kafka protocol binding 1.0, 3.1 to 3.3. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "event/event.h"
#include "event/tape.h"

enum iv_mode_of_record { IV_MODE_STRUCTURED, IV_MODE_BINARY };

/* IV_E_MALFORMED, with the reason: a batch, or a format other than JSON. */
iv_rc iv_record_mode(enum iv_mode_of_record *out, const struct iv_record *record, struct iv_err *err);

/* The attributes from the headers, datacontenttype from content-type, data from the value. */
iv_rc iv_binary_read(struct iv_tape *tape, const struct iv_record *record, struct iv_arena *arena,
                     struct iv_err *err);
