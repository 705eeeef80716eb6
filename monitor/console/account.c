/* SPDX-License-Identifier: Apache-2.0 */
#include "console/account.h"

#include "base/digest.h"
#include "base/encode.h"
#include "base/guard.h"
#include "console/roles.h"

#include <stdio.h>

enum { PASSWORD_BYTES_MIN = 12, PASSWORD_BYTES_MAX = 256, SECRET_BYTES = 32 };

static const iv_ns lifetime_min = 60 * IV_NS_PER_S;
static const iv_ns day = 86400 * IV_NS_PER_S;

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

iv_rc iv_account_name(struct iv_str name, struct iv_err *err)
{
    static const struct iv_str reserved[] = {IV_STR_INIT("token"), IV_STR_INIT("demo"),
                                             IV_STR_INIT("nobody")};
    bool good = name.n > 0 && name.n <= IV_USER_NAME_BYTES && is_alphanumeric(name.p[0]);
    for (size_t i = 0; good && i < name.n; i++) {
        good = is_alphanumeric(name.p[i]) || memchr("._@-", name.p[i], 4) != NULL;
    }
    ENSURE(good, err, IV_E_RANGE,
           "a name is a letter or digit, then letters, digits and . _ @ -, at most %d of them",
           IV_USER_NAME_BYTES);
    for (size_t i = 0; i < IV_COUNT(reserved); i++) {
        ENSURE(!iv_str_eq(reserved[i], name), err, IV_E_RANGE, "'%s' is not free: the console uses it itself",
               reserved[i].p);
    }
    return IV_OK;
}

iv_rc iv_account_roles(unsigned *out, const struct iv_str *names, size_t count, struct iv_err *err)
{
    unsigned roles = 0;
    for (size_t i = 0; i < count; i++) {
        enum iv_user_role role;
        ENSURE(iv_role_of(&role, names[i]), err, IV_E_RANGE, "'%.*s' is no role; they are " IV_ROLE_NAMES,
               (int)(names[i].n > 64 ? 64 : names[i].n), names[i].p);
        roles |= 1u << role;
    }
    ENSURE(roles != 0, err, IV_E_RANGE, "at least one role is needed: " IV_ROLE_NAMES);
    *out = roles;
    return IV_OK;
}

static void write_roles(char *out, size_t n, unsigned roles)
{
    struct iv_buf text;
    iv_buf_init_lent(&text, out, n, n - 1);
    iv_roles_write(&text, roles);
    out[text.n] = '\0';
    iv_buf_deinit(&text);
}

iv_rc iv_account_user(struct iv_user *out, struct iv_str name, unsigned roles, struct iv_str password,
                      iv_ns now, struct iv_err *err)
{
    TRY(iv_account_name(name, err));
    ENSURE(password.n >= PASSWORD_BYTES_MIN && password.n <= PASSWORD_BYTES_MAX, err, IV_E_RANGE,
           "a password has %d to %d bytes, this has %zu", PASSWORD_BYTES_MIN, PASSWORD_BYTES_MAX, password.n);
    for (size_t i = 0; i < password.n; i++) {
        unsigned char c = (unsigned char)password.p[i];
        ENSURE(c >= 0x20 && c != 0x7f, err, IV_E_RANGE,
               "a password has no control characters, not even a tab");
    }
    *out = (struct iv_user){.created = now, .changed = now};
    (void)snprintf(out->name, sizeof out->name, IV_STR_FMT, IV_STR_ARG(name));
    write_roles(out->roles, sizeof out->roles, roles);
    return iv_scrypt_make(&out->password, password, err);
}

static void write_hex(char *out, const unsigned char *bytes, size_t n)
{
    struct iv_buf hex;
    iv_buf_init_lent(&hex, out, 2 * n + 1, 2 * n);
    iv_hex_encode(&hex, (struct iv_str){(const char *)bytes, n});
    iv_buf_deinit(&hex);
}

void iv_account_token_maker(char out[IV_TOKEN_MAKER_BYTES], const struct iv_token *token)
{
    (void)snprintf(out, IV_TOKEN_MAKER_BYTES, "token:%s#%s", token->name, token->id);
}

void iv_account_secret(char text[IV_SECRET_TEXT_BYTES], const char *prefix)
{
    unsigned char bytes[SECRET_BYTES];
    int n = snprintf(text, IV_SECRET_TEXT_BYTES, "%s", prefix);
    IV_CHECK(n >= 0 && (size_t)n + 2 * sizeof bytes < IV_SECRET_TEXT_BYTES);
    iv_random(bytes, sizeof bytes);
    write_hex(text + n, bytes, sizeof bytes);
    explicit_bzero(bytes, sizeof bytes);
}

iv_rc iv_account_digest(unsigned char out[IV_KEY_DIGEST_BYTES], const struct iv_str *parts, size_t count,
                        struct iv_err *err)
{
    IV_AUTO(iv_digester_freep) struct iv_digester *digester = NULL;
    struct iv_digest digest;
    TRY(iv_digester_new(&digester, err));
    iv_digest_begin(digester, IV_SHA256);
    for (size_t i = 0; i < count; i++) {
        iv_digest_update(digester, parts[i]);
    }
    iv_digest_end(digester, &digest);
    memcpy(out, digest.bytes, IV_KEY_DIGEST_BYTES);
    return IV_OK;
}

static iv_rc lifetime_of(iv_ns *out, struct iv_str text, struct iv_err *err)
{
    struct iv_instant asked;
    *out = 90 * day;
    if (text.p == NULL) {
        return IV_OK;
    }
    bool good = iv_duration_parse(&asked, text, true);
    *out = good ? iv_instant_to_ns_saturated(asked) : 0;
    ENSURE(*out >= lifetime_min && *out <= 366 * day, err, IV_E_RANGE,
           "expires must be between 1m and 366d, such as 30d");
    return IV_OK;
}

iv_rc iv_account_token(struct iv_token *out, char text[IV_SECRET_TEXT_BYTES],
                       const struct iv_token_asked *asked, iv_ns now, struct iv_err *err)
{
    iv_ns lifetime;
    unsigned char id[IV_TOKEN_ID_BYTES / 2];
    TRY(iv_account_name(asked->name, err));
    TRY(lifetime_of(&lifetime, asked->expires, err));
    *out = (struct iv_token){.created = now, .expires = iv_ns_add(now, lifetime)};
    iv_random(id, sizeof id);
    write_hex(out->id, id, sizeof id);
    (void)snprintf(out->name, sizeof out->name, IV_STR_FMT, IV_STR_ARG(asked->name));
    (void)snprintf(out->creator, sizeof out->creator, IV_STR_FMT, IV_STR_ARG(asked->creator));
    write_roles(out->roles, sizeof out->roles, asked->roles);
    iv_account_secret(text, IV_TOKEN_PREFIX);
    const struct iv_str whole = iv_str_of(text);
    return iv_account_digest(out->digest, &whole, 1, err);
}
