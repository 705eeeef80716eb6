/* SPDX-License-Identifier: Apache-2.0 */
/* Who may use the console: users, their sessions, and tokens of programs.
 * Purpose: rows, and nothing of a secret that could be used: passwords as scrypt, the rest as SHA-256.
 * Owner/thread: writing as store.h has it, inside a transaction; reading as reader.h has it.
 * Not here: which roles there are and what they may (console/roles.def), how long a session lives
 * (console/session.h). */
#pragma once

#include "base/err.h"
#include "base/scrypt.h"
#include "base/str.h"
#include "base/time.h"

#include <stdbool.h>

struct iv_store;
struct iv_reader;

enum { IV_USER_NAME_BYTES = 64, IV_ROLES_BYTES = 128, IV_TOKEN_ID_BYTES = 16, IV_KEY_DIGEST_BYTES = 32 };

struct iv_user {
    char name[IV_USER_NAME_BYTES + 1];
    char roles[IV_ROLES_BYTES]; /* "analyst responder" */
    struct iv_scrypt password;
    iv_ns created;
    iv_ns changed; /* the password, last */
};

struct iv_session {
    unsigned char digest[IV_KEY_DIGEST_BYTES];
    char user[IV_USER_NAME_BYTES + 1];
    char roles[IV_ROLES_BYTES]; /* read only: of the user; empty where there is no user of the name */
    char address[64];
    iv_ns created;
    iv_ns used;
};

struct iv_token {
    char id[IV_TOKEN_ID_BYTES + 1]; /* hex */
    unsigned char digest[IV_KEY_DIGEST_BYTES];
    char name[IV_USER_NAME_BYTES + 1];
    char roles[IV_ROLES_BYTES];
    char creator[2 * IV_USER_NAME_BYTES];
    iv_ns created;
    iv_ns expires;
};

/* *fresh: there was none of the name; else nothing is changed. */
iv_rc iv_store_put_user(struct iv_store *store, bool *fresh, const struct iv_user *user, struct iv_err *err);
/* *found: there is such a user. Both end his sessions; with him go the tokens that he made, and those that
 * were made with them. */
iv_rc iv_store_remove_user(struct iv_store *store, bool *found, struct iv_str name, struct iv_err *err);
/* *found as above; takes effect with his next request. keeps_tokens: else the tokens that he made go, and
 * those that were made with them. */
iv_rc iv_store_set_roles(struct iv_store *store, bool *found, struct iv_str name, struct iv_str roles,
                         bool keeps_tokens, struct iv_err *err);
/* *found as above, and his password is still the one that was made at `proven`; 0: whichever it is. Ends his
 * sessions. */
iv_rc iv_store_set_password(struct iv_store *store, bool *found, const struct iv_user *user, iv_ns proven,
                            struct iv_err *err);

/* changed: of the user's password as it was found right; 0: the session is of no user. *opened: it is his
 * password still. */
iv_rc iv_store_open_session(struct iv_store *store, bool *opened, const struct iv_session *session,
                            iv_ns changed, struct iv_err *err);
iv_rc iv_store_use_session(struct iv_store *store, const struct iv_session *session, struct iv_err *err);
iv_rc iv_store_close_session(struct iv_store *store, const unsigned char digest[IV_KEY_DIGEST_BYTES],
                             struct iv_err *err);
/* Those that were opened or used last before these moments. */
iv_rc iv_store_forget_sessions(struct iv_store *store, iv_ns created, iv_ns used, struct iv_err *err);

iv_rc iv_store_put_token(struct iv_store *store, const struct iv_token *token, struct iv_err *err);
/* Whether there is a token of this digest, as far as this transaction has come. */
iv_rc iv_store_has_token(struct iv_store *store, bool *out, const unsigned char digest[IV_KEY_DIGEST_BYTES],
                         struct iv_err *err);
/* With it go those that were made with it. What a token makes has "token:NAME#ID" for its creator. */
iv_rc iv_store_remove_token(struct iv_store *store, bool *found, struct iv_str id, struct iv_err *err);

/* IV_E_ABSENT: there is none. */
iv_rc iv_reader_user(struct iv_reader *reader, struct iv_user *out, struct iv_str name, struct iv_err *err);
iv_rc iv_reader_session(struct iv_reader *reader, struct iv_session *out,
                        const unsigned char digest[IV_KEY_DIGEST_BYTES], struct iv_err *err);
iv_rc iv_reader_token(struct iv_reader *reader, struct iv_token *out,
                      const unsigned char digest[IV_KEY_DIGEST_BYTES], struct iv_err *err);

/* By name, those behind `after`. p NULL: from the first; limit 0: all, here and below. */
typedef void (*iv_user_visit)(void *ctx, const struct iv_user *user);
iv_rc iv_reader_users(struct iv_reader *reader, struct iv_str after, size_t limit, iv_user_visit visit,
                      void *ctx, struct iv_err *err);

/* By when they were made, those behind one that there may be no more. NULL: from the first. */
struct iv_token_place {
    iv_ns created;
    struct iv_str id;
};
typedef void (*iv_token_visit)(void *ctx, const struct iv_token *token);
iv_rc iv_reader_tokens(struct iv_reader *reader, const struct iv_token_place *after, size_t limit,
                       iv_token_visit visit, void *ctx, struct iv_err *err);
