/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's journal: what befell itself, as rows of its store.
 * Purpose: who watches the watcher finds when it began and ended, was paused, lost its input, fell behind.
 * Owner/thread: a row is put by whoever is inside the store's transaction; readers as reader.h has it.
 * Guarantee: the newest IV_JOURNAL_ROWS are there; what is gone from here stands in the monitor's own log.
 * Not here: when something is worth a row (daemon/lookout.h). */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "evidence/reader.h"
#include "evidence/store.h"

#include <stdbool.h>
#include <stdint.h>

#define IV_JOURNAL_ROWS 10000

enum iv_journal_kind {
#define JOURNAL(id, name, entered, about) IV_JOURNAL_##id,
#include "evidence/journal_kinds.def"
#undef JOURNAL
    IV_JOURNAL_KINDS
};
const char *iv_journal_kind_name(enum iv_journal_kind kind);
bool iv_journal_kind_of(enum iv_journal_kind *out, struct iv_str name);

struct iv_journal_row {
    int64_t seq; /* set by the store */
    iv_ns at;
    struct iv_str what; /* the kind's name; set by the store */
    struct iv_str about;
    struct iv_str cause;
};

/* Inside a transaction. Of row, at, about and cause are taken. */
iv_rc iv_store_put_journal(struct iv_store *store, enum iv_journal_kind kind,
                           const struct iv_journal_row *row, struct iv_err *err);
/* Inside a transaction: whether the last run that began has ended in order. *known false: none is on record.
 */
iv_rc iv_store_journal_ended(struct iv_store *store, bool *known, bool *ended, struct iv_err *err);

/* Zeroed: all, oldest first, 100 of them. */
struct iv_journal_filter {
    struct iv_str what; /* p NULL: any */
    iv_ns from;         /* from <= at < until; both 0: any */
    iv_ns until;
    int64_t after; /* seq above this; 0: from the first */
    int64_t before;
    bool newest_first;
    size_t limit;
};
typedef bool (*iv_journal_visit)(void *ctx, const struct iv_journal_row *row);
iv_rc iv_reader_journal(struct iv_reader *reader, const struct iv_journal_filter *filter,
                        iv_journal_visit visit, void *ctx, struct iv_err *err);
