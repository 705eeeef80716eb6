/* SPDX-License-Identifier: Apache-2.0 */
/* The writer's part of the log, inside of the store. Internal to the room. */
#pragma once

#include "base/clock.h"
#include "base/digest.h"
#include "base/merkle.h"
#include "evidence/log.h"

#include <stdbool.h>

struct iv_store;

struct iv_log {
    struct iv_digester *digester;
    struct iv_clock clock;
    struct iv_merkle tree;
    iv_ns time;   /* of its last entry */
    bool trusted; /* the tree was once all that the file held; false also behind a rollback */
    bool current; /* and in this transaction it still is */
    struct iv_log_signing signing;
    uint64_t signed_size;  /* entries that a checkpoint covers */
    iv_ns signed_time;     /* of that checkpoint; IV_NS_MIN: of another run */
    uint64_t signing_size; /* both as they are when this transaction has committed */
    iv_ns signing_time;
    bool seal;
};

/* What stands in the file: another process may have written since the last transaction. */
iv_rc iv_log_load(struct iv_store *store, struct iv_err *err);

/* Around the commit of a transaction. */
iv_rc iv_log_before_commit(struct iv_store *store, struct iv_err *err);
void iv_log_committed(struct iv_store *store);

/* Appends an entry whose document another row keeps; *leaf is its place. */
iv_rc iv_log_append(struct iv_store *store, int64_t *leaf, enum iv_leaf_kind kind, struct iv_str key,
                    iv_ns event_time, struct iv_str document, struct iv_err *err);
/* Keeps the document of an entry. */
iv_rc iv_log_keep(struct iv_store *store, int64_t leaf, struct iv_str document, struct iv_err *err);
/* Out of a row of the log whose only column is its roots. */
struct sqlite3_stmt;
iv_rc iv_log_root_of(struct iv_merkle_hash *out, struct sqlite3_stmt *stmt, bool found, unsigned level,
                     const char *path, struct iv_err *err);
/* Appends entries for findings of before there was a log. */
iv_rc iv_log_catch_up(struct iv_store *store, struct iv_err *err);
