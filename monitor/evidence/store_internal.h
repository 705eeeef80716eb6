/* SPDX-License-Identifier: Apache-2.0 */
/* The writer's insides, shared by the files that implement store.h. Internal to the room. */
#pragma once

#include "base/fair.h"
#include "evidence/admitted_internal.h"
#include "evidence/course_internal.h"
#include "evidence/log_internal.h"
#include "evidence/sql.h"
#include "evidence/store.h"

/* The statements of the writer, prepared when first used: STATEMENT(id, text) in statements.def. */
enum iv_statement {
#define STATEMENT(id, text) IV_SQL_##id,
#include "evidence/statements.def"
#undef STATEMENT
    IV_SQL_STATEMENTS
};

struct iv_store {
    struct iv_sql sql;
    struct iv_fair lock;       /* held from begin to commit or rollback */
    bool inside;               /* a transaction is open; guarded by lock */
    int64_t posted;            /* messages more in the outbox than when it began; guarded by lock */
    _Atomic int64_t outbox;    /* messages there, as far as is committed */
    struct iv_log log;         /* guarded by lock */
    struct iv_counts counts;   /* guarded by lock */
    struct iv_courses courses; /* guarded by lock */
    iv_ns ahead;               /* the clock counts as so much ahead (clock_set.h); guarded by lock */
    unsigned unsummed; /* kinds of who is alive, a bit each, whose cells have changed; guarded by lock */
    int64_t changes;   /* of rows, by this connection, when the transaction began; guarded by lock */
    sqlite3_stmt *statements[IV_SQL_STATEMENTS];
};

/* Ready to bind; give it to IV_AUTO(iv_sql_resetp). */
iv_rc iv_store_statement(struct iv_store *store, sqlite3_stmt **out, enum iv_statement id,
                         struct iv_err *err);

const char *iv_store_text(enum iv_statement id);

/* Under the lock, outside of transactions: ends one whose rollback found no memory. Until then the file must
 * be neither read nor written, for what stands in it was never committed. */
iv_rc iv_store_end_left_over(struct iv_store *store, struct iv_err *err);
