/* SPDX-License-Identifier: Apache-2.0 */
/* From a store to a bundle, in one transaction of the reader: a writer beside it changes nothing. */
#include "base/guard.h"
#include "event/catalogue.h"
#include "event/checkpoint.h"
#include "event/decode.h"
#include "evidence/bundle.h"
#include "evidence/log.h"
#include "evidence/reader_internal.h"
#include "evidence/store_internal.h"
#include "evidence/told.h"
#include "evidence/told_internal.h"

#define ENTRY                                                                                                \
    "SELECT l.leaf, l.entry, coalesce((SELECT f.ocsf FROM findings f WHERE f.leaf = l.leaf),"                \
    " (SELECT a.ocsf FROM actions a WHERE a.leaf = l.leaf),"                                                 \
    " (SELECT d.document FROM log_documents d WHERE d.leaf = l.leaf)) FROM log l "

struct making {
    struct iv_reader *reader;
    struct iv_digester *digester;
    struct iv_catalogue *catalogue;
    struct iv_decoder *decoder;
    struct iv_arena arena; /* of one entry */
    sqlite3_stmt *node;
    const struct iv_bundle_order *order;
    struct iv_bundle_head head;
    struct iv_buf note;
    struct iv_buf *out;
    size_t start; /* of the bundle in out */
    uint64_t lines;
    struct iv_bundle_made made;
};

static void making_deinit(struct making *m)
{
    (void)sqlite3_finalize(m->node);
    (void)sqlite3_exec(m->reader->sql.db, "ROLLBACK", NULL, NULL, NULL);
    iv_decoder_free(m->decoder);
    iv_catalogue_free(m->catalogue);
    iv_digester_free(m->digester);
    iv_arena_deinit(&m->arena);
    iv_buf_deinit(&m->note);
}

static iv_rc making_init(struct making *m, struct iv_err *err)
{
    const struct iv_sql *sql = &m->reader->sql;
    iv_arena_init(&m->arena, 0);
    iv_buf_init(&m->note, IV_NOTE_BYTES);
    TRY(iv_digester_new(&m->digester, err));
    TRY(iv_catalogue_new(&m->catalogue, err));
    TRY(iv_catalogue_freeze(m->catalogue, err));
    TRY(iv_decoder_new(&m->decoder, m->catalogue, &IV_TOLD_LIMITS, (struct iv_hash_key){0, 0}, err));
    TRY(iv_sql_exec(sql, "BEGIN", "read the log", err));
    return iv_sql_prepare(sql, &m->node, "SELECT roots FROM log WHERE leaf = ?", err);
}

static struct iv_rc_s node_of(void *ctx, struct iv_merkle_hash *out, unsigned level, uint64_t index,
                              struct iv_err *err)
{
    struct making *m = ctx;
    bool found = false;
    iv_sql_resetp(&m->node);
    struct iv_sql_args args = iv_sql_args(m->node);
    iv_sql_bind_int(&args, (int64_t)(((index + 1) << level) - 1));
    TRY(iv_sql_step(&m->reader->sql, m->node, &found, "read the log", err));
    return iv_log_root_of(out, m->node, found, level, m->reader->sql.path, err);
}

/* The log as far as it was signed, or where nothing was, as it is. */
static iv_rc choose_size(struct making *m, struct iv_err *err)
{
    int64_t whole = 0;
    int64_t covered = 0;
    const struct iv_sql *sql = &m->reader->sql;
    TRY(iv_sql_int(sql, &whole, "SELECT ifnull(max(leaf) + 1, 0) FROM log", "read the log", err));
    TRY(iv_sql_int(sql, &covered, "SELECT ifnull(max(size), 0) FROM checkpoints", "read the log", err));
    m->made.is_signed = covered > 0;
    m->head.size = (uint64_t)(m->made.is_signed ? covered : whole);
    m->made.size = m->head.size;
    m->made.later = (uint64_t)whole - m->head.size;
    if (m->made.is_signed) {
        TRY(iv_reader_checkpoint(m->reader, &m->note, err));
        m->head.checkpoint = iv_buf_slice(&m->note);
    }
    struct iv_merkle tree;
    TRY(iv_merkle_at(&tree, &(struct iv_merkle_nodes){node_of, m}, m->head.size, err));
    iv_merkle_root(&m->head.root, m->digester, &tree);
    return IV_OK;
}

/* The last entry that was recorded before the period: time does not go back in the log. */
static iv_rc choose_first(struct making *m, struct iv_err *err)
{
    uint64_t low = 0; /* entries that are known to be of before */
    uint64_t high = m->head.size;
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    TRY(iv_sql_prepare(&m->reader->sql, &stmt, "SELECT time FROM log WHERE leaf = ?", err));
    while (low < high) {
        bool found = false;
        uint64_t middle = low + (high - low) / 2;
        iv_sql_resetp(&stmt);
        struct iv_sql_args args = iv_sql_args(stmt);
        iv_sql_bind_int(&args, (int64_t)middle);
        TRY(iv_sql_step(&m->reader->sql, stmt, &found, "read the log", err));
        struct iv_sql_row row = iv_sql_row(stmt);
        bool before = found && iv_sql_get_int(&row) < m->order->from;
        low = before ? middle + 1 : low;
        high = before ? high : middle;
    }
    m->head.first = low == 0 ? 0 : low - 1;
    return iv_merkle_at(&m->head.before, &(struct iv_merkle_nodes){node_of, m}, m->head.first, err);
}

/* A checkpoint bears the name of its log. */
static iv_rc check_origin(struct making *m, struct iv_str origin, struct iv_err *err)
{
    bool found = false;
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    TRY(iv_sql_prepare(&m->reader->sql, &stmt, "SELECT value FROM facts WHERE name = 'log.origin'", err));
    TRY(iv_sql_step(&m->reader->sql, stmt, &found, "read the log", err));
    struct iv_sql_row row = iv_sql_row(stmt);
    struct iv_str ours = found ? iv_sql_get_str(&row) : IV_STR("");
    ENSURE(iv_str_eq(origin, ours), err, IV_E_REFUSED,
           "the checkpoint is not of this log: it is of '" IV_STR_FMT "', this is '" IV_STR_FMT "'",
           IV_STR_ARG(origin), IV_STR_ARG(ours));
    return IV_OK;
}

static iv_rc prove_since(struct making *m, struct iv_err *err)
{
    struct iv_note note;
    struct iv_checkpoint since;
    struct iv_merkle tree;
    struct iv_merkle_hash root;
    const struct iv_merkle_nodes nodes = {node_of, m};
    if (m->order->since.p == NULL) {
        return IV_OK;
    }
    struct iv_rc_s rc = iv_note_parse(&note, m->order->since, err);
    rc = iv_ok(rc) ? iv_checkpoint_parse(&since, note.text, err) : rc;
    if (!iv_ok(rc)) {
        return (struct iv_rc_s){IV_E_REFUSED};
    }
    TRY(check_origin(m, since.origin, err));
    ENSURE(since.size <= m->head.size, err, IV_E_REFUSED,
           "the checkpoint is of %llu entries, and of this log only %llu can be shown",
           (unsigned long long)since.size, (unsigned long long)m->head.size);
    TRY(iv_merkle_at(&tree, &nodes, since.size, err));
    iv_merkle_root(&root, m->digester, &tree);
    ENSURE(memcmp(&root, &since.root, sizeof root) == 0, err, IV_E_REFUSED,
           "the checkpoint is not of this log: its %llu entries have another root",
           (unsigned long long)since.size);
    m->head.since = m->order->since;
    return iv_merkle_prove_growth(&m->head.growth, m->digester, &nodes, since.size, m->head.size, err);
}

static iv_rc add_leaf(struct making *m, struct iv_sql_row *row, struct iv_err *err)
{
    struct iv_val entry;
    struct iv_bundle_leaf leaf = {.leaf = (uint64_t)iv_sql_get_int(row)};
    iv_arena_reset(&m->arena);
    TRY(iv_told_parse(&entry, m->decoder, &m->arena, iv_sql_get_str(row), err));
    TRY(iv_leaf_read(&leaf.entry, &entry, err));
    if (iv_bundle_has(&leaf.entry, m->order->from, m->order->until)) {
        leaf.document = iv_sql_get_str(row);
        m->made.documents++;
        m->made.findings += leaf.entry.kind == IV_LEAF_FINDING;
        TRY(iv_merkle_prove_leaf(&leaf.proof, m->digester, &(struct iv_merkle_nodes){node_of, m}, leaf.leaf,
                                 m->head.size, err));
    }
    iv_bundle_write_leaf(m->out, &leaf);
    m->lines++;
    m->made.leaves++;
    return iv_buf_check(m->out, "a bundle", err);
}

static iv_rc add_leaves(struct making *m, const char *query, uint64_t from, uint64_t until,
                        struct iv_err *err)
{
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    TRY(iv_sql_prepare(&m->reader->sql, &stmt, query, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, (int64_t)from);
    iv_sql_bind_int(&args, (int64_t)until);
    for (bool more = true;;) {
        TRY(iv_sql_step(&m->reader->sql, stmt, &more, "read the log", err));
        if (!more) {
            return IV_OK;
        }
        struct iv_sql_row row = iv_sql_row(stmt);
        TRY(add_leaf(m, &row, err));
    }
}

static void add_end(struct making *m)
{
    struct iv_digest digest;
    struct iv_bundle_end end = {.lines = m->lines};
    iv_digest(m->digester, &digest, IV_SHA256, (struct iv_str){m->out->p + m->start, m->out->n - m->start});
    memcpy(end.digest.bytes, digest.bytes, sizeof end.digest.bytes);
    iv_bundle_write_end(m->out, &end);
}

static iv_rc make(struct making *m, struct iv_err *err)
{
    TRY(choose_size(m, err));
    TRY(choose_first(m, err));
    TRY(prove_since(m, err));
    iv_bundle_write_head(m->out, &m->head);
    TRY(iv_buf_check(m->out, "a bundle", err));
    m->lines = 1;
    /* The baseline that was in force when the period began. */
    TRY(add_leaves(m,
                   ENTRY "WHERE l.leaf >= ?1 AND l.leaf = (SELECT max(b.leaf) FROM log b"
                         " WHERE b.leaf < ?2 AND b.entry ->> '$.kind' = 'baseline')",
                   0, m->head.first, err));
    TRY(add_leaves(m, ENTRY "WHERE l.leaf >= ?1 AND l.leaf < ?2 ORDER BY l.leaf", m->head.first, m->head.size,
                   err));
    add_end(m);
    return iv_buf_check(m->out, "a bundle", err);
}

iv_rc iv_bundle_make(struct iv_buf *out, struct iv_bundle_made *made, struct iv_reader *reader,
                     const struct iv_bundle_order *order, struct iv_err *err)
{
    IV_AUTO(making_deinit) struct making m = {.reader = reader, .order = order, .out = out, .start = out->n};
    m.head = (struct iv_bundle_head){
        .program = IV_STR(IV_PRODUCT_VERSION), .from = order->from, .until = order->until};
    TRY(making_init(&m, err));
    TRY(make(&m, err));
    *made = m.made;
    return IV_OK;
}
