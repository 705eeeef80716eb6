/* SPDX-License-Identifier: Apache-2.0 */
/* Of which store and which time: the flags that the commands for auditors share, and what they mean. */
#pragma once

#include "app/command.h"
#include "base/err.h"
#include "base/time.h"

/* Of --from and --to: RFC 3339, or a date, which is its first moment in UTC. IV_E_REFUSED. */
iv_rc iv_evidence_period(iv_ns *from, iv_ns *until, const char *from_text, const char *to_text,
                         struct iv_err *err);

/* For a table of flags; at(member) is where `store`, `from` and `to` stand among the command's arguments. */
#define IV_EVIDENCE_PERIOD_FLAGS(at)                                                                         \
    {.name = "store",                                                                                        \
     .kind = IV_FLAG_TEXT,                                                                                   \
     .value = "PATH",                                                                                        \
     .offset = at(store),                                                                                    \
     .required = true,                                                                                       \
     .doc = "the monitor's store; it may be running"},                                                       \
        {.name = "from",                                                                                     \
         .kind = IV_FLAG_TEXT,                                                                               \
         .value = "TIME",                                                                                    \
         .offset = at(from),                                                                                 \
         .required = true,                                                                                   \
         .doc = "the period's beginning: a date, or a time as RFC 3339 has it"},                             \
    {                                                                                                        \
        .name = "to", .kind = IV_FLAG_TEXT, .value = "TIME", .offset = at(to), .required = true,             \
        .doc = "its end, which is not in it"                                                                 \
    }
