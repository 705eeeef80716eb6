/* SPDX-License-Identifier: Apache-2.0 */
/* Users and tokens as they are made, by the API and by the program's commands.
 * Guarantee: a name is a letter or digit, then letters, digits and . _ @ -, at most 64 of them, and none that
 * the console has for something else; a password has 12 to 256 bytes; a token is 256 random bits and lives a
 * year at most. Errors: IV_E_RANGE, with a sentence. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "evidence/access.h"

#include <stddef.h>

enum { IV_SECRET_TEXT_BYTES = 80 };
#define IV_TOKEN_PREFIX "ivg_"

iv_rc iv_account_name(struct iv_str name, struct iv_err *err);
/* *out: bits 1u << enum iv_user_role; at least one. */
iv_rc iv_account_roles(unsigned *out, const struct iv_str *names, size_t count, struct iv_err *err);

/* Takes the time of hashing. */
iv_rc iv_account_user(struct iv_user *out, struct iv_str name, unsigned roles, struct iv_str password,
                      iv_ns now, struct iv_err *err);

/* expires: "30d", "12h"; p NULL: 90 days. text is what the caller is shown once. */
struct iv_token_asked {
    struct iv_str name;
    unsigned roles;
    struct iv_str expires;
    struct iv_str creator;
};
iv_rc iv_account_token(struct iv_token *out, char text[IV_SECRET_TEXT_BYTES],
                       const struct iv_token_asked *asked, iv_ns now, struct iv_err *err);

/* "token:NAME#ID": what a token is called where it does something. */
enum { IV_TOKEN_MAKER_BYTES = 2 * IV_USER_NAME_BYTES };
void iv_account_token_maker(char out[IV_TOKEN_MAKER_BYTES], const struct iv_token *token);

/* 256 random bits behind a prefix, as hex. */
void iv_account_secret(char text[IV_SECRET_TEXT_BYTES], const char *prefix);
/* SHA-256 of the parts, one behind the other. */
iv_rc iv_account_digest(unsigned char out[IV_KEY_DIGEST_BYTES], const struct iv_str *parts, size_t count,
                        struct iv_err *err);
