/* SPDX-License-Identifier: Apache-2.0 */
#include "app/account_change.h"
#include "app/command.h"
#include "app/store_option.h"
#include "base/clock.h"
#include "base/guard.h"
#include "base/secret.h"
#include "console/account.h"
#include "console/roles.h"
#include "daemon/config.h"
#include "evidence/reader.h"

#include <stdio.h>
#include <termios.h>
#include <unistd.h>

enum { PASSWORD_BYTES_MAX = 512 };

struct user_args {
    const char *config;
    const char *store;
    struct iv_words roles;
};

static iv_rc read_line(struct iv_buf *out, struct iv_err *err)
{
    for (;;) {
        char c;
        ssize_t n = read(STDIN_FILENO, &c, 1);
        ENSURE(n >= 0, err, IV_E_IO, "standard input cannot be read");
        if (n == 0 || c == '\n') {
            return iv_buf_check(out, "a password", err);
        }
        iv_buf_char(out, c);
    }
}

/* Nobody who looks over a shoulder reads it, and two of them that are equal were meant. */
static iv_rc ask(struct iv_buf *out, const char *prompt, struct iv_err *err)
{
    struct termios before;
    ENSURE(tcgetattr(STDIN_FILENO, &before) == 0, err, IV_E_IO, "the terminal cannot be read");
    struct termios silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    (void)fprintf(stderr, "%s: ", prompt);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    struct iv_rc_s rc = read_line(out, err);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    (void)fputc('\n', stderr);
    return rc;
}

static iv_rc read_password(struct iv_buf *out, struct iv_err *err)
{
    /* A buffer that grows would leave what it had where it was. */
    ENSURE(iv_buf_reserve(out, PASSWORD_BYTES_MAX) != NULL, err, IV_E_NOMEM, "no memory left for a password");
    if (isatty(STDIN_FILENO) == 0) {
        return read_line(out, err);
    }
    IV_AUTO(iv_buf_wipe) struct iv_buf again;
    iv_buf_init(&again, PASSWORD_BYTES_MAX);
    ENSURE(iv_buf_reserve(&again, PASSWORD_BYTES_MAX) != NULL, err, IV_E_NOMEM,
           "no memory left for a password");
    TRY(ask(out, "Password", err));
    TRY(ask(&again, "Once more", err));
    ENSURE(iv_secret_eq(iv_buf_slice(out), iv_buf_slice(&again)), err, IV_E_REFUSED,
           "the two passwords are not the same");
    return IV_OK;
}

/* What a verb does with its user, inside the transaction. */
struct doing {
    struct iv_user user;
    struct iv_str name;
};

static iv_rc put(struct iv_store *store, void *ctx, struct iv_err *err)
{
    const struct doing *d = ctx;
    bool fresh = false;
    TRY(iv_store_put_user(store, &fresh, &d->user, err));
    ENSURE(fresh, err, IV_E_REFUSED, "there is a user '%s' already", d->user.name);
    return IV_OK;
}

static iv_rc set_password(struct iv_store *store, void *ctx, struct iv_err *err)
{
    const struct doing *d = ctx;
    bool found = false;
    TRY(iv_store_set_password(store, &found, &d->user, 0, err));
    ENSURE(found, err, IV_E_REFUSED, "there is no user '%s'", d->user.name);
    return IV_OK;
}

static iv_rc remove_one(struct iv_store *store, void *ctx, struct iv_err *err)
{
    const struct doing *d = ctx;
    bool found = false;
    TRY(iv_store_remove_user(store, &found, d->name, err));
    ENSURE(found, err, IV_E_REFUSED, "there is no user '" IV_STR_FMT "'", IV_STR_ARG(d->name));
    return IV_OK;
}

static iv_rc make(struct doing *out, struct iv_str name, unsigned roles, struct iv_err *err)
{
    struct iv_clock clock = iv_clock_system();
    IV_AUTO(iv_buf_wipe) struct iv_buf password;
    iv_buf_init(&password, PASSWORD_BYTES_MAX);
    TRY(read_password(&password, err));
    out->name = name;
    return iv_account_user(&out->user, name, roles, iv_buf_slice(&password), iv_wall(&clock), err);
}

static iv_rc add(const struct user_args *a, struct iv_str path, struct iv_str name, struct iv_err *err)
{
    struct iv_str roles[IV_ROLES];
    struct doing d;
    unsigned bits = 0;
    size_t count = 0;
    for (; count < a->roles.count && count < IV_ROLES; count++) {
        roles[count] = iv_str_of(a->roles.items[count]);
    }
    TRY(iv_account_roles(&bits, roles, count, err));
    TRY(iv_account_name(name, err));
    TRY(make(&d, name, bits, err));
    const struct iv_account_change change = {
        .what = "user.add", .object = name, .detail = iv_str_of(d.user.roles), .make = put, .ctx = &d};
    return iv_account_change(path, &change, err);
}

static iv_rc password(const struct user_args *a, struct iv_str path, struct iv_str name, struct iv_err *err)
{
    (void)a;
    struct doing d;
    TRY(make(&d, name, 0, err));
    const struct iv_account_change change = {
        .what = "user.password", .object = name, .make = set_password, .ctx = &d};
    return iv_account_change(path, &change, err);
}

static iv_rc remove_user(const struct user_args *a, struct iv_str path, struct iv_str name,
                         struct iv_err *err)
{
    (void)a;
    struct doing d = {.name = name};
    const struct iv_account_change change = {
        .what = "user.remove", .object = name, .make = remove_one, .ctx = &d};
    return iv_account_change(path, &change, err);
}

static void print_user(void *ctx, const struct iv_user *user)
{
    (void)ctx;
    printf("%-24s %s\n", user->name, user->roles);
}

static iv_rc list(const struct user_args *a, struct iv_str path, struct iv_str name, struct iv_err *err)
{
    (void)a;
    (void)name;
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    TRY(iv_reader_open(&reader, path, err));
    return iv_reader_users(reader, IV_STR(""), 0, print_user, NULL, err);
}

static int run(const struct user_args *a, const struct iv_words *words,
               iv_rc (*verb)(const struct user_args *a, struct iv_str path, struct iv_str name,
                             struct iv_err *err),
               struct iv_err *err)
{
    IV_AUTO(iv_config_freep) struct iv_config *config = NULL;
    struct iv_str path;
    struct iv_rc_s rc = iv_store_option(&path, &config, a->store, a->config, err);
    rc = iv_ok(rc) ? verb(a, path, iv_str_of(words->count == 0 ? "" : words->items[0]), err) : rc;
    return iv_code_class(rc.code) == IV_CLASS_REJECT ? IV_EXIT_REFUSED : iv_exit_of(rc);
}

static int add_run(const void *args, const struct iv_words *words, struct iv_err *err)
{
    return run(args, words, add, err);
}

static int list_run(const void *args, const struct iv_words *words, struct iv_err *err)
{
    return run(args, words, list, err);
}

static int remove_run(const void *args, const struct iv_words *words, struct iv_err *err)
{
    return run(args, words, remove_user, err);
}

static int password_run(const void *args, const struct iv_words *words, struct iv_err *err)
{
    return run(args, words, password, err);
}

#define STORE_FLAGS                                                                                          \
    {.name = "config",                                                                                       \
     .kind = IV_FLAG_TEXT,                                                                                   \
     .value = "FILE",                                                                                        \
     .offset = offsetof(struct user_args, config),                                                           \
     .doc = "The daemon's configuration, for its store [/etc/invigil/invigil.yaml]."},                       \
    {                                                                                                        \
        .name = "store", .kind = IV_FLAG_TEXT, .value = "PATH", .offset = offsetof(struct user_args, store), \
        .doc = "The store, instead of what the configuration says."                                          \
    }

static const struct iv_flag store_flags[] = {STORE_FLAGS};
static const struct iv_flag add_flags[] = {STORE_FLAGS,
                                           {.name = "role",
                                            .kind = IV_FLAG_LIST,
                                            .value = "ROLE",
                                            .offset = offsetof(struct user_args, roles),
                                            .required = true,
                                            .doc = IV_ROLE_NAMES "; may be given several times."}};

#define PART(part, words, more, what, flags_of, from, to)                                                    \
    static const struct iv_command part##_command = {.name = "user " #part,                                  \
                                                     .synopsis = words "[--config FILE|--store PATH]" more,  \
                                                     .doc = what,                                            \
                                                     .flags = flags_of,                                      \
                                                     .flag_count = IV_COUNT(flags_of),                       \
                                                     .args_size = sizeof(struct user_args),                  \
                                                     .min_words = from,                                      \
                                                     .max_words = to,                                        \
                                                     .run = part##_run}
PART(add, "NAME ", " --role ROLE…", "Adds a user; the password's line comes from standard input.", add_flags,
     1, 1);
PART(list, "", "", "The users and their roles.", store_flags, 0, 0);
PART(remove, "NAME ", "", "Removes a user and ends what he has open.", store_flags, 1, 1);
PART(password, "NAME ", "", "Sets another password, and ends what he has open.", store_flags, 1, 1);

static const struct iv_command *const parts[] = {&add_command, &list_command, &remove_command,
                                                 &password_command};

const struct iv_command iv_command_user = {
    .name = "user",
    .synopsis = "add|list|remove|password [NAME] [--config FILE|--store PATH]",
    .doc = "Who may log in to the console.",
    .details =
        "The store must be there: the daemon makes it when it starts for the first time. Every change is on\n"
        "record with the name of whoever ran this.",
    .parts = parts,
    .part_count = IV_COUNT(parts),
};
