/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/access.h"

#include "base/guard.h"
#include "evidence/store_internal.h"

static struct iv_str bytes_of(const unsigned char *p, size_t n)
{
    return (struct iv_str){(const char *)p, n};
}

static iv_rc run(struct iv_store *store, sqlite3_stmt *stmt, bool *changed, const char *doing,
                 struct iv_err *err)
{
    TRY(iv_sql_run(&store->sql, stmt, doing, err));
    if (changed != NULL) {
        *changed = sqlite3_changes(store->sql.db) > 0;
    }
    return IV_OK;
}

static void bind_password(struct iv_sql_args *args, const struct iv_scrypt *password)
{
    iv_sql_bind_bytes(args, bytes_of(password->hash, sizeof password->hash));
    iv_sql_bind_bytes(args, bytes_of(password->salt, sizeof password->salt));
    iv_sql_bind_int(args, (int64_t)password->cost);
    iv_sql_bind_int(args, password->block);
    iv_sql_bind_int(args, password->parallel);
}

iv_rc iv_store_put_user(struct iv_store *store, bool *fresh, const struct iv_user *user, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_USER_INSERT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, iv_str_of(user->name));
    iv_sql_bind_str(&args, iv_str_of(user->roles));
    bind_password(&args, &user->password);
    iv_sql_bind_int(&args, user->created);
    iv_sql_bind_int(&args, user->changed);
    return run(store, stmt, fresh, "write a user", err);
}

/* A statement whose only parameter is a name or an id. */
static iv_rc run_for(struct iv_store *store, enum iv_statement id, bool *changed, struct iv_str key,
                     const char *doing, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, id, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, key);
    return run(store, stmt, changed, doing, err);
}

iv_rc iv_store_remove_user(struct iv_store *store, bool *found, struct iv_str name, struct iv_err *err)
{
    IV_CHECK(store->inside);
    TRY(run_for(store, IV_SQL_SESSIONS_END, NULL, name, "end the sessions of a user", err));
    TRY(run_for(store, IV_SQL_TOKENS_END, NULL, name, "end the tokens of a user", err));
    return run_for(store, IV_SQL_USER_DELETE, found, name, "remove a user", err);
}

iv_rc iv_store_set_roles(struct iv_store *store, bool *found, struct iv_str name, struct iv_str roles,
                         bool keeps_tokens, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    if (!keeps_tokens) {
        TRY(run_for(store, IV_SQL_TOKENS_END, NULL, name, "end the tokens of a user", err));
    }
    TRY(iv_store_statement(store, &stmt, IV_SQL_USER_ROLES, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, roles);
    iv_sql_bind_str(&args, name);
    return run(store, stmt, found, "write a user's roles", err);
}

iv_rc iv_store_set_password(struct iv_store *store, bool *found, const struct iv_user *user, iv_ns proven,
                            struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_USER_PASSWORD, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    bind_password(&args, &user->password);
    iv_sql_bind_int(&args, user->changed);
    iv_sql_bind_str(&args, iv_str_of(user->name));
    iv_sql_bind_int(&args, proven);
    TRY(run(store, stmt, found, "write a password", err));
    return *found ? run_for(store, IV_SQL_SESSIONS_END, NULL, iv_str_of(user->name),
                            "end the sessions of a user", err)
                  : IV_OK;
}

iv_rc iv_store_open_session(struct iv_store *store, bool *opened, const struct iv_session *session,
                            iv_ns changed, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_SESSION_INSERT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_bytes(&args, bytes_of(session->digest, sizeof session->digest));
    iv_sql_bind_str(&args, iv_str_of(session->user));
    iv_sql_bind_str(&args, iv_str_of(session->address));
    iv_sql_bind_int(&args, session->created);
    iv_sql_bind_int(&args, session->used);
    iv_sql_bind_int(&args, changed);
    return run(store, stmt, opened, "open a session", err);
}

iv_rc iv_store_use_session(struct iv_store *store, const struct iv_session *session, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_SESSION_USE, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, session->used);
    iv_sql_bind_bytes(&args, bytes_of(session->digest, sizeof session->digest));
    return run(store, stmt, NULL, "use a session", err);
}

iv_rc iv_store_close_session(struct iv_store *store, const unsigned char digest[IV_KEY_DIGEST_BYTES],
                             struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_SESSION_DELETE, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_bytes(&args, bytes_of(digest, IV_KEY_DIGEST_BYTES));
    return run(store, stmt, NULL, "close a session", err);
}

iv_rc iv_store_forget_sessions(struct iv_store *store, iv_ns created, iv_ns used, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_SESSIONS_FORGET, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, created);
    iv_sql_bind_int(&args, used);
    return run(store, stmt, NULL, "forget sessions", err);
}

iv_rc iv_store_put_token(struct iv_store *store, const struct iv_token *token, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_TOKEN_INSERT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, iv_str_of(token->id));
    iv_sql_bind_bytes(&args, bytes_of(token->digest, sizeof token->digest));
    iv_sql_bind_str(&args, iv_str_of(token->name));
    iv_sql_bind_str(&args, iv_str_of(token->roles));
    iv_sql_bind_str(&args, iv_str_of(token->creator));
    iv_sql_bind_int(&args, token->created);
    iv_sql_bind_int(&args, token->expires);
    return run(store, stmt, NULL, "write a token", err);
}

iv_rc iv_store_has_token(struct iv_store *store, bool *out, const unsigned char digest[IV_KEY_DIGEST_BYTES],
                         struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_TOKEN_IS, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_bytes(&args, bytes_of(digest, IV_KEY_DIGEST_BYTES));
    return iv_sql_step(&store->sql, stmt, out, "look a token up", err);
}

iv_rc iv_store_remove_token(struct iv_store *store, bool *found, struct iv_str id, struct iv_err *err)
{
    IV_CHECK(store->inside);
    return run_for(store, IV_SQL_TOKEN_DELETE, found, id, "remove a token", err);
}
