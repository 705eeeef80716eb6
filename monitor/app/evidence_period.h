/* SPDX-License-Identifier: Apache-2.0 */
/* What an auditor types as a time. */
#pragma once

#include "base/err.h"
#include "base/time.h"

/* Of --from and --to: RFC 3339, or a date, which is its first moment in UTC. IV_E_REFUSED. */
iv_rc iv_evidence_period(iv_ns *from, iv_ns *until, const char *from_text, const char *to_text,
                         struct iv_err *err);
