/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/access.h"

#include "base/guard.h"
#include "evidence/reader_internal.h"

#include <stdio.h>

/* What does not fit was not written by this program: cut short it names nobody. */
static void copy_text(char *out, size_t n, struct iv_str s)
{
    (void)snprintf(out, n, IV_STR_FMT, IV_STR_ARG(s));
}

static void copy_bytes(unsigned char *out, size_t n, struct iv_str s)
{
    memset(out, 0, n);
    memcpy(out, s.p, s.n < n ? s.n : n);
}

#define SELECT_USERS "SELECT name, roles, hash, salt, cost, block, parallel, created, changed FROM users"

static void read_user(struct iv_user *out, sqlite3_stmt *stmt)
{
    struct iv_sql_row row = iv_sql_row(stmt);
    copy_text(out->name, sizeof out->name, iv_sql_get_str(&row));
    copy_text(out->roles, sizeof out->roles, iv_sql_get_str(&row));
    copy_bytes(out->password.hash, sizeof out->password.hash, iv_sql_get_bytes(&row));
    copy_bytes(out->password.salt, sizeof out->password.salt, iv_sql_get_bytes(&row));
    out->password.cost = (uint64_t)iv_sql_get_int(&row);
    out->password.block = (uint32_t)iv_sql_get_int(&row);
    out->password.parallel = (uint32_t)iv_sql_get_int(&row);
    out->created = iv_sql_get_int(&row);
    out->changed = iv_sql_get_int(&row);
}

iv_rc iv_reader_user(struct iv_reader *reader, struct iv_user *out, struct iv_str name, struct iv_err *err)
{
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    bool found = false;
    TRY(iv_sql_prepare(&reader->sql, &stmt, SELECT_USERS " WHERE name = ?", err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, name);
    TRY(iv_sql_step(&reader->sql, stmt, &found, "read a user", err));
    ENSURE(found, err, IV_E_ABSENT, "there is no user '" IV_STR_FMT "'", IV_STR_ARG(name));
    read_user(out, stmt);
    return IV_OK;
}

/* As SQLite has it: below 0 is no limit. */
static int64_t rows_of(size_t limit)
{
    return limit == 0 ? -1 : (int64_t)limit;
}

iv_rc iv_reader_users(struct iv_reader *reader, struct iv_str after, size_t limit, iv_user_visit visit,
                      void *ctx, struct iv_err *err)
{
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    TRY(iv_sql_prepare(&reader->sql, &stmt, SELECT_USERS " WHERE name > ? ORDER BY name LIMIT ?", err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, after.p == NULL ? IV_STR("") : after);
    iv_sql_bind_int(&args, rows_of(limit));
    for (;;) {
        bool more = false;
        struct iv_user user;
        TRY(iv_sql_step(&reader->sql, stmt, &more, "read users", err));
        if (!more) {
            return IV_OK;
        }
        read_user(&user, stmt);
        visit(ctx, &user);
    }
}

/* A statement with one digest for its parameter, at its first row. */
static iv_rc find(struct iv_reader *reader, sqlite3_stmt **stmt, const char *text,
                  const unsigned char digest[IV_KEY_DIGEST_BYTES], const char *what, struct iv_err *err)
{
    bool found = false;
    TRY(iv_sql_prepare(&reader->sql, stmt, text, err));
    struct iv_sql_args args = iv_sql_args(*stmt);
    iv_sql_bind_bytes(&args, (struct iv_str){(const char *)digest, IV_KEY_DIGEST_BYTES});
    TRY(iv_sql_step(&reader->sql, *stmt, &found, "look somebody up", err));
    ENSURE(found, err, IV_E_ABSENT, "there is no such %s", what);
    return IV_OK;
}

iv_rc iv_reader_session(struct iv_reader *reader, struct iv_session *out,
                        const unsigned char digest[IV_KEY_DIGEST_BYTES], struct iv_err *err)
{
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    TRY(find(reader, &stmt,
             "SELECT s.user, coalesce(u.roles, ''), s.address, s.created, s.used FROM sessions s"
             " LEFT JOIN users u ON u.name = s.user WHERE s.digest = ?",
             digest, "session", err));
    struct iv_sql_row row = iv_sql_row(stmt);
    memcpy(out->digest, digest, sizeof out->digest);
    copy_text(out->user, sizeof out->user, iv_sql_get_str(&row));
    copy_text(out->roles, sizeof out->roles, iv_sql_get_str(&row));
    copy_text(out->address, sizeof out->address, iv_sql_get_str(&row));
    out->created = iv_sql_get_int(&row);
    out->used = iv_sql_get_int(&row);
    return IV_OK;
}

#define SELECT_TOKENS "SELECT id, digest, name, roles, creator, created, expires FROM tokens"

static void read_token(struct iv_token *out, sqlite3_stmt *stmt)
{
    struct iv_sql_row row = iv_sql_row(stmt);
    copy_text(out->id, sizeof out->id, iv_sql_get_str(&row));
    copy_bytes(out->digest, sizeof out->digest, iv_sql_get_bytes(&row));
    copy_text(out->name, sizeof out->name, iv_sql_get_str(&row));
    copy_text(out->roles, sizeof out->roles, iv_sql_get_str(&row));
    copy_text(out->creator, sizeof out->creator, iv_sql_get_str(&row));
    out->created = iv_sql_get_int(&row);
    out->expires = iv_sql_get_int(&row);
}

iv_rc iv_reader_token(struct iv_reader *reader, struct iv_token *out,
                      const unsigned char digest[IV_KEY_DIGEST_BYTES], struct iv_err *err)
{
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    TRY(find(reader, &stmt, SELECT_TOKENS " WHERE digest = ?", digest, "token", err));
    read_token(out, stmt);
    return IV_OK;
}

iv_rc iv_reader_tokens(struct iv_reader *reader, const struct iv_token_place *after, size_t limit,
                       iv_token_visit visit, void *ctx, struct iv_err *err)
{
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    TRY(iv_sql_prepare(&reader->sql, &stmt,
                       SELECT_TOKENS " WHERE (created, id) > (?, ?) ORDER BY created, id LIMIT ?", err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, after == NULL ? INT64_MIN : after->created);
    iv_sql_bind_str(&args, after == NULL ? IV_STR("") : after->id);
    iv_sql_bind_int(&args, rows_of(limit));
    for (;;) {
        bool more = false;
        struct iv_token token;
        TRY(iv_sql_step(&reader->sql, stmt, &more, "read tokens", err));
        if (!more) {
            return IV_OK;
        }
        read_token(&token, stmt);
        visit(ctx, &token);
    }
}
