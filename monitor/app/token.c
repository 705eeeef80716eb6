/* SPDX-License-Identifier: Apache-2.0 */
#include "app/account_change.h"
#include "app/command.h"
#include "app/store_option.h"
#include "base/clock.h"
#include "base/guard.h"
#include "console/account.h"
#include "console/roles.h"
#include "daemon/config.h"
#include "evidence/reader.h"

#include <stdio.h>

struct token_args {
    const char *config;
    const char *store;
    const char *name;
    const char *expires;
    struct iv_words roles;
};

static iv_rc put(struct iv_store *store, void *ctx, struct iv_err *err)
{
    return iv_store_put_token(store, ctx, err);
}

static iv_rc create(const struct token_args *a, struct iv_str path, struct iv_str id, struct iv_err *err)
{
    (void)id;
    struct iv_clock clock = iv_clock_system();
    struct iv_str roles[IV_ROLES];
    struct iv_token token;
    char text[IV_SECRET_TEXT_BYTES];
    size_t count = 0;
    struct iv_token_asked asked = {.name = iv_str_of(a->name), .creator = iv_store_option_user()};
    if (a->expires != NULL) {
        asked.expires = iv_str_of(a->expires);
    }
    for (; count < a->roles.count && count < IV_ROLES; count++) {
        roles[count] = iv_str_of(a->roles.items[count]);
    }
    TRY(iv_account_roles(&asked.roles, roles, count, err));
    TRY(iv_account_token(&token, text, &asked, iv_wall(&clock), err));
    const struct iv_account_change change = {.what = "token.create",
                                             .object = iv_str_of(token.id),
                                             .detail = asked.name,
                                             .make = put,
                                             .ctx = &token};
    TRY(iv_account_change(path, &change, err));
    printf("%s\n", text);
    (void)fprintf(stderr, "Its id is %s. It is not shown again.\n", token.id);
    return IV_OK;
}

static void print_token(void *ctx, const struct iv_token *token)
{
    (void)ctx;
    IV_AUTO(iv_buf_deinit) struct iv_buf until;
    iv_buf_init(&until, 64);
    iv_ns_format(&until, token->expires);
    printf("%s  %-24s %-24s until " IV_STR_FMT "\n", token->id, token->name, token->roles,
           IV_STR_ARG(iv_buf_slice(&until)));
}

static iv_rc list(const struct token_args *a, struct iv_str path, struct iv_str id, struct iv_err *err)
{
    (void)a;
    (void)id;
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    TRY(iv_reader_open(&reader, path, err));
    return iv_reader_tokens(reader, NULL, 0, print_token, NULL, err);
}

static iv_rc remove_one(struct iv_store *store, void *ctx, struct iv_err *err)
{
    const struct iv_str *id = ctx;
    bool found = false;
    TRY(iv_store_remove_token(store, &found, *id, err));
    ENSURE(found, err, IV_E_REFUSED, "there is no token '" IV_STR_FMT "'; 'invigil token list' has the ids",
           IV_STR_ARG(*id));
    return IV_OK;
}

static iv_rc revoke(const struct token_args *a, struct iv_str path, struct iv_str id, struct iv_err *err)
{
    (void)a;
    const struct iv_account_change change = {
        .what = "token.revoke", .object = id, .make = remove_one, .ctx = &id};
    return iv_account_change(path, &change, err);
}

static int run(const struct token_args *a, const struct iv_words *words,
               iv_rc (*verb)(const struct token_args *a, struct iv_str path, struct iv_str id,
                             struct iv_err *err),
               struct iv_err *err)
{
    IV_AUTO(iv_config_freep) struct iv_config *config = NULL;
    struct iv_str path;
    struct iv_rc_s rc = iv_store_option(&path, &config, a->store, a->config, err);
    rc = iv_ok(rc) ? verb(a, path, iv_str_of(words->count == 0 ? "" : words->items[0]), err) : rc;
    return iv_code_class(rc.code) == IV_CLASS_REJECT ? IV_EXIT_REFUSED : iv_exit_of(rc);
}

static int create_run(const void *args, const struct iv_words *words, struct iv_err *err)
{
    return run(args, words, create, err);
}

static int list_run(const void *args, const struct iv_words *words, struct iv_err *err)
{
    return run(args, words, list, err);
}

static int revoke_run(const void *args, const struct iv_words *words, struct iv_err *err)
{
    return run(args, words, revoke, err);
}

#define FLAG(of, as, shown, must, what)                                                                      \
    {                                                                                                        \
        .name = #of, .kind = as, .value = shown, .offset = offsetof(struct token_args, of),                  \
        .required = must, .doc = what                                                                        \
    }
#define STORE_FLAGS                                                                                          \
    FLAG(config, IV_FLAG_TEXT, "FILE", false,                                                                \
         "The daemon's configuration, for its store [/etc/invigil/invigil.yaml]."),                          \
        FLAG(store, IV_FLAG_TEXT, "PATH", false, "The store, instead of what the configuration says.")

static const struct iv_flag store_flags[] = {STORE_FLAGS};
static const struct iv_flag create_flags[] = {
    STORE_FLAGS,
    FLAG(name, IV_FLAG_TEXT, "NAME", true, "Of the program that it is for."),
    {.name = "role",
     .kind = IV_FLAG_LIST,
     .value = "ROLE",
     .offset = offsetof(struct token_args, roles),
     .required = true,
     .doc = IV_ROLE_NAMES "; may be given several times."},
    FLAG(expires, IV_FLAG_TEXT, "DURATION", false, "How long it is good for, 366d at most [90d]."),
};

#define PART(part, words, more, what, flags_of, from)                                                        \
    static const struct iv_command part##_command = {.name = "token " #part,                                 \
                                                     .synopsis = words "[--config FILE|--store PATH]" more,  \
                                                     .doc = what,                                            \
                                                     .flags = flags_of,                                      \
                                                     .flag_count = IV_COUNT(flags_of),                       \
                                                     .args_size = sizeof(struct token_args),                 \
                                                     .min_words = from,                                      \
                                                     .max_words = from,                                      \
                                                     .run = part##_run}
PART(create, "", " --name NAME --role ROLE… [--expires 30d]", "Makes a token, and prints it once.",
     create_flags, 0);
PART(list, "", "", "The tokens, their roles and their ends.", store_flags, 0);
PART(revoke, "ID ", "", "Ends a token at once.", store_flags, 1);

static const struct iv_command *const parts[] = {&create_command, &list_command, &revoke_command};

const struct iv_command iv_command_token = {
    .name = "token",
    .synopsis = "create|list|revoke [ID] [--config FILE|--store PATH]",
    .doc = "What programs show the console: Authorization: Bearer ivg_…",
    .details = "The store must be there. It keeps a token's SHA-256, so that whoever reads it has none. "
               "Every change is on\n"
               "record with the name of whoever ran this.",
    .parts = parts,
    .part_count = IV_COUNT(parts),
};
