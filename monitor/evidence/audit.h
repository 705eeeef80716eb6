/* SPDX-License-Identifier: Apache-2.0 */
/* What people changed: who, when, what, from where.
 * Purpose: a row is written in the transaction of what it speaks of, and is a leaf of the monitor's own log,
 * so that neither is there without the other and nothing of it can be taken out later. Owner/thread: writing
 * as store.h has it, reading as reader.h has it. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct iv_store;
struct iv_reader;

struct iv_audit {
    int64_t seq; /* set by the store */
    iv_ns at;    /* the store makes it never less than that of the row before */
    struct iv_str who;
    struct iv_str via;     /* how he was known: "session", "token", "certificate", "demo", "command" */
    struct iv_str address; /* empty: a command on the monitor's machine */
    struct iv_str what;    /* "session.open" */
    struct iv_str object;  /* what was changed: a user's name, a finding's uid */
    struct iv_str detail;
};

/* Inside a transaction. */
iv_rc iv_store_put_audit(struct iv_store *store, const struct iv_audit *audit, struct iv_err *err);

struct iv_audit_filter {
    struct iv_str who; /* p NULL: anybody */
    iv_ns from;        /* 0: open; from <= at < until */
    iv_ns until;
    int64_t after;  /* seq above; 0: open */
    int64_t before; /* seq below; 0: open */
    bool newest_first;
    size_t limit;
};
typedef bool (*iv_audit_visit)(void *ctx, const struct iv_audit *audit);
iv_rc iv_reader_audit(struct iv_reader *reader, const struct iv_audit_filter *filter, iv_audit_visit visit,
                      void *ctx, struct iv_err *err);
