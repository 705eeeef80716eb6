/* SPDX-License-Identifier: Apache-2.0 */
#include "support/log_audit.h"

#include "base/encode.h"
#include "base/guard.h"
#include "base/merkle.h"
#include "event/checkpoint.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct audit {
    sqlite3 *db;
    struct iv_digester *digester;
    struct iv_merkle tree;
    bool wrong;
    char text[160];
};

static void __attribute__((format(printf, 2, 3))) complain(struct audit *a, const char *format, ...)
{
    va_list args;
    if (!a->wrong) {
        va_start(args, format);
        (void)vsnprintf(a->text, sizeof a->text, format, args);
        va_end(args);
    }
    a->wrong = true;
}

static struct iv_str column(sqlite3_stmt *stmt, int i)
{
    const char *bytes = sqlite3_column_blob(stmt, i);
    return (struct iv_str){bytes == NULL ? "" : bytes, (size_t)sqlite3_column_bytes(stmt, i)};
}

static void each(struct audit *a, const char *query, void (*row)(struct audit *a, sqlite3_stmt *stmt))
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(a->db, query, -1, &stmt, NULL) != SQLITE_OK) {
        complain(a, "%s", sqlite3_errmsg(a->db));
    }
    while (!a->wrong && sqlite3_step(stmt) == SQLITE_ROW) {
        row(a, stmt);
    }
    if (sqlite3_finalize(stmt) != SQLITE_OK) {
        complain(a, "%s", sqlite3_errmsg(a->db));
    }
}

/* Behind the leaf that it is the last of: what was signed is the root of then. */
static void check_checkpoint(struct audit *a, sqlite3_stmt *stmt)
{
    struct iv_note note;
    struct iv_checkpoint checkpoint;
    struct iv_merkle_hash root;
    iv_merkle_root(&root, a->digester, &a->tree);
    if (!iv_ok(iv_note_parse(&note, column(stmt, 5), NULL)) ||
        !iv_ok(iv_checkpoint_parse(&checkpoint, note.text, NULL)) || checkpoint.size != a->tree.size ||
        memcmp(&checkpoint.root, &root, sizeof root) != 0) {
        complain(a, "the checkpoint of %" PRIu64 " entries is another", a->tree.size);
    }
}

static void check_entry(struct audit *a, sqlite3_stmt *stmt)
{
    struct iv_merkle_hash roots[IV_MERKLE_PEAKS];
    struct iv_str kept = column(stmt, 3);
    if ((uint64_t)sqlite3_column_int64(stmt, 0) != a->tree.size) {
        complain(a, "leaf %" PRIu64 " is missing", a->tree.size);
    }
    if (sqlite3_column_int64(stmt, 1) < sqlite3_column_int64(stmt, 4)) {
        complain(a, "time goes back at leaf %" PRIu64, a->tree.size);
    }
    unsigned count = iv_merkle_grow(roots, &a->tree, a->digester, column(stmt, 2));
    if (kept.n != count * sizeof roots[0] || memcmp(kept.p, roots, kept.n) != 0) {
        complain(a, "the roots that end with leaf %" PRIu64 " are others", a->tree.size - 1);
    }
    if (sqlite3_column_type(stmt, 5) != SQLITE_NULL) {
        check_checkpoint(a, stmt);
    }
}

static void check_document(struct audit *a, sqlite3_stmt *stmt)
{
    struct iv_digest digest;
    char hex[2 * IV_MERKLE_BYTES + 1];
    struct iv_buf text;
    iv_buf_init_lent(&text, hex, sizeof hex, sizeof hex - 1);
    iv_digest(a->digester, &digest, IV_SHA256, column(stmt, 2));
    iv_hex_encode(&text, (struct iv_str){(const char *)digest.bytes, digest.n});
    if (!iv_str_eq(column(stmt, 1), iv_buf_slice(&text))) {
        complain(a, "the document of leaf %lld is not there, or another",
                 (long long)sqlite3_column_int64(stmt, 0));
    }
    if (sqlite3_column_int64(stmt, 3) != 1) {
        complain(a, "leaf %lld has more than one document", (long long)sqlite3_column_int64(stmt, 0));
    }
}

static void check_counts(struct audit *a, sqlite3_stmt *stmt)
{
    static const char *const what[] = {"findings have no entry", "entries have no finding",
                                       "entries of changes of state are too many or too few"};
    for (int i = 0; i < (int)IV_COUNT(what); i++) {
        if (sqlite3_column_int64(stmt, i) != 0) {
            complain(a, "%lld %s", (long long)sqlite3_column_int64(stmt, i), what[i]);
        }
    }
}

#define DOCUMENTS                                                                                            \
    "SELECT leaf, ocsf AS document FROM findings UNION ALL SELECT leaf, ocsf FROM actions"                   \
    " UNION ALL SELECT leaf, document FROM log_documents"

static void check_all(struct audit *a)
{
    each(a,
         "SELECT l.leaf, l.time, l.entry, l.roots, lag(l.time, 1, l.time) OVER (ORDER BY l.leaf), c.note"
         " FROM log l LEFT JOIN checkpoints c ON c.size = l.leaf + 1 ORDER BY l.leaf",
         check_entry);
    each(a,
         "SELECT l.leaf, l.entry ->> '$.digest', d.document, count(*) FROM log l"
         " LEFT JOIN (" DOCUMENTS ") d ON d.leaf = l.leaf GROUP BY l.leaf",
         check_document);
    each(a,
         "SELECT (SELECT count(*) FROM findings f WHERE NOT EXISTS (SELECT 1 FROM log l WHERE"
         " l.leaf = f.leaf AND l.entry ->> '$.kind' = 'finding' AND l.entry ->> '$.key' = f.uid)),"
         " (SELECT count(*) FROM log l WHERE l.entry ->> '$.kind' = 'finding' AND NOT EXISTS"
         " (SELECT 1 FROM findings f WHERE f.uid = l.entry ->> '$.key' AND f.leaf >= l.leaf)),"
         " (SELECT count(*) FROM actions) -"
         " (SELECT count(*) FROM log l WHERE l.entry ->> '$.kind' = 'action')",
         check_counts);
}

const char *log_audit_by(uint64_t *size, sqlite3 *db)
{
    static struct audit a;
    a = (struct audit){.db = db};
    IV_CHECK(iv_ok(iv_digester_new(&a.digester, NULL)));
    check_all(&a);
    iv_digester_free(a.digester);
    if (size != NULL) {
        *size = a.tree.size;
    }
    return a.wrong ? a.text : NULL;
}

const char *log_audit(uint64_t *size, const char *path)
{
    sqlite3 *db = NULL;
    bool opened = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK;
    const char *wrong = opened ? log_audit_by(size, db) : "the store cannot be opened";
    (void)sqlite3_close(db);
    return wrong;
}
