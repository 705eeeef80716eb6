/* SPDX-License-Identifier: Apache-2.0 */
/* What the log is told of coverage: a partition when its losses have changed or much time was read, at most
 * once a minute; a rule when it had to forget. */
#include "base/encode.h"
#include "base/guard.h"
#include "evidence/coverage.h"
#include "evidence/coverage_text.h"
#include "evidence/log.h"
#include "evidence/store_internal.h"

#include <inttypes.h>

#define AT_MOST_EVERY (60 * IV_NS_PER_S)
#define MUCH_TIME (3600 * IV_NS_PER_S)

/* What of a partition's coverage the log was told last. */
struct logged {
    char digest[2 * IV_MERKLE_BYTES + 1];
    iv_ns reach;
    iv_ns time; /* wall clock */
};

/* The digest of what is logged as soon as it changes. */
static iv_rc digest_of(struct iv_store *store, char hex[2 * IV_MERKLE_BYTES + 1],
                       const struct iv_cover *cover, struct iv_err *err)
{
    struct iv_digest digest;
    struct iv_buf out;
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, IV_COVERAGE_TEXT_MAX);
    iv_cover_standing_text(&text, cover);
    TRY(iv_buf_check(&text, "the coverage of a partition", err));
    iv_digest(store->log.digester, &digest, IV_SHA256, iv_buf_slice(&text));
    iv_buf_init_lent(&out, hex, 2 * IV_MERKLE_BYTES + 1, 2 * IV_MERKLE_BYTES);
    iv_hex_encode(&out, (struct iv_str){(const char *)digest.bytes, digest.n});
    return IV_OK;
}

static iv_rc logged_last(struct iv_store *store, struct logged *out, struct iv_str topic, int32_t partition,
                         struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    bool found = false;
    *out = (struct logged){.reach = IV_NS_MIN, .time = IV_NS_MIN};
    TRY(iv_store_statement(store, &stmt, IV_SQL_COVER_LOGGED, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, topic);
    iv_sql_bind_int(&args, partition);
    TRY(iv_sql_step(&store->sql, stmt, &found, "read coverage", err));
    if (found) {
        struct iv_sql_row row = iv_sql_row(stmt);
        struct iv_str digest = iv_sql_get_str(&row);
        memcpy(out->digest, digest.p, digest.n < sizeof out->digest ? digest.n : sizeof out->digest - 1);
        out->reach = iv_sql_get_int(&row);
        out->time = iv_sql_get_int(&row);
    }
    return IV_OK;
}

static iv_rc remember(struct iv_store *store, const char *digest, struct iv_str topic,
                      const struct iv_cover *cover, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_COVER_LOG, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, iv_str_of(digest));
    iv_sql_bind_int(&args, cover->reach);
    iv_sql_bind_int(&args, iv_wall(&store->log.clock));
    iv_sql_bind_str(&args, topic);
    iv_sql_bind_int(&args, cover->partition);
    return iv_sql_run(&store->sql, stmt, "write coverage", err);
}

static iv_rc enter(struct iv_store *store, struct iv_str topic, const struct iv_cover *cover,
                   struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf key;
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&key, 65536);
    iv_buf_init(&text, IV_COVERAGE_TEXT_MAX);
    iv_buf_str(&key, topic);
    iv_buf_printf(&key, "/%" PRId32, cover->partition);
    iv_cover_text(&text, topic, cover);
    TRY(iv_buf_check(&key, "the name of a partition", err));
    TRY(iv_buf_check(&text, "the coverage of a partition", err));
    return iv_store_log(store, IV_LEAF_COVERAGE, iv_buf_slice(&key), iv_buf_slice(&text), err);
}

iv_rc iv_store_log_cover(struct iv_store *store, struct iv_str topic, const struct iv_cover *cover, bool now,
                         struct iv_err *err)
{
    struct logged last;
    char digest[2 * IV_MERKLE_BYTES + 1];
    TRY(logged_last(store, &last, topic, cover->partition, err));
    TRY(digest_of(store, digest, cover, err));
    bool changed = strcmp(digest, last.digest) != 0;
    bool due = changed || cover->reach >= iv_ns_add(last.reach, MUCH_TIME);
    bool rested = iv_wall(&store->log.clock) >= iv_ns_add(last.time, AT_MOST_EVERY) ||
                  iv_wall(&store->log.clock) < last.time;
    if (now ? !changed && cover->reach == last.reach : !due || !rested) {
        return IV_OK;
    }
    TRY(enter(store, topic, cover, err));
    return remember(store, digest, topic, cover, err);
}

iv_rc iv_store_log_rule_loss(struct iv_store *store, struct iv_str rule, const struct iv_loss *loss,
                             struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf key;
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&key, 65536);
    iv_buf_init(&text, 65536);
    iv_buf_text(&key, "rule/");
    iv_buf_str(&key, rule);
    iv_rule_loss_text(&text, rule, loss);
    TRY(iv_buf_check(&key, "the name of a rule", err));
    TRY(iv_buf_check(&text, "what a rule has lost", err));
    return iv_store_log(store, IV_LEAF_COVERAGE, iv_buf_slice(&key), iv_buf_slice(&text), err);
}
