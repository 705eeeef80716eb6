/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"
#include "app/respond_approval.h"
#include "app/store_option.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/guard.h"
#include "daemon/config.h"
#include "evidence/reader.h"
#include "respond/halt.h"

#include <stdio.h>

/* A word behind "respond". */
struct verb {
    const char *name;
    bool takes_execution;
    iv_rc (*run)(const struct respond_args *a, struct iv_str store, const char *execution,
                 struct iv_err *err);
};

static iv_rc put(const struct respond_args *a, struct iv_str path, bool holds, struct iv_err *err)
{
    IV_AUTO(iv_store_closep) struct iv_store *store = NULL;
    struct iv_clock clock = iv_clock_system();
    struct iv_str reason = a->reason == NULL ? IV_STR("") : iv_str_of(a->reason);
    TRY(iv_store_option_open(&store, path, err));
    TRY(iv_store_begin(store, err));
    struct iv_rc_s rc = iv_halt_put(store, holds, iv_store_option_user(), reason, iv_wall(&clock), err);
    if (!iv_ok(rc)) {
        iv_store_rollback(store);
        return rc;
    }
    TRY(iv_store_commit(store, err));
    printf("%s\n", holds ? "Paused: no action is called until 'invigil respond resume'." : "Resumed.");
    return IV_OK;
}

static iv_rc pause_all(const struct respond_args *a, struct iv_str store, const char *execution,
                       struct iv_err *err)
{
    (void)execution;
    return put(a, store, true, err);
}

static iv_rc resume_all(const struct respond_args *a, struct iv_str store, const char *execution,
                        struct iv_err *err)
{
    (void)execution;
    return put(a, store, false, err);
}

static void print_word(const struct iv_halt *halt)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf since;
    iv_buf_init(&since, 64);
    iv_instant_format(&since, iv_instant_of_ns(halt->since));
    printf("Paused since " IV_STR_FMT " by " IV_STR_FMT "%s" IV_STR_FMT "\n",
           IV_STR_ARG(iv_buf_slice(&since)), IV_STR_ARG(halt->by), halt->reason.n == 0 ? "" : ": ",
           IV_STR_ARG(halt->reason));
}

/* The file of the configuration, and the store's word: either is enough. */
static iv_rc print_halt(const struct respond_args *a, struct iv_reader *reader, struct iv_err *err)
{
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    struct iv_halt halt;
    iv_arena_init(&arena, 0);
    TRY(iv_halt_read(&halt, reader, &arena, err));
    bool by_file = a->daemon != NULL && iv_halt_by_file(a->daemon->respond.pause_file);
    if (by_file) {
        printf("Paused by the file '" IV_STR_FMT "'.\n", IV_STR_ARG(a->daemon->respond.pause_file));
    }
    if (halt.holds) {
        print_word(&halt);
    } else if (!by_file) {
        printf("%s\n",
               a->daemon != NULL
                   ? "Actions are called."
                   : "Not paused here. Whether the daemon's pause file is there, --config FILE tells.");
    }
    return IV_OK;
}

static iv_rc show_status(const struct respond_args *a, struct iv_str path, const char *execution,
                         struct iv_err *err)
{
    (void)execution;
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    struct iv_store_totals totals;
    TRY(iv_reader_open(&reader, path, err));
    TRY(print_halt(a, reader, err));
    TRY(iv_reader_totals(reader, &totals, err));
    for (int state = 0; state < IV_RUN_STATES; state++) {
        if (totals.executions[state] > 0) {
            printf("%-12s %lld\n", iv_run_state_name((enum iv_run_state)state),
                   (long long)totals.executions[state]);
        }
    }
    return IV_OK;
}

static const struct verb verbs[] = {
    {"pause", false, pause_all},      {"resume", false, resume_all},   {"status", false, show_status},
    {"list", false, iv_respond_list}, {"show", true, iv_respond_show}, {"approve", true, iv_respond_approve},
    {"deny", true, iv_respond_deny},  {"undo", true, iv_respond_undo},
};
#define VERBS "pause, resume, status, list, show, approve, deny and undo"

static iv_rc find_verb(const struct verb **out, const char *word, struct iv_err *err)
{
    struct iv_str names[IV_COUNT(verbs)];
    for (size_t i = 0; i < IV_COUNT(verbs); i++) {
        names[i] = iv_str_of(verbs[i].name);
        if (iv_str_eq(names[i], iv_str_of(word))) {
            *out = &verbs[i];
            return IV_OK;
        }
    }
    struct iv_str near = iv_str_nearest(iv_str_of(word), names, IV_COUNT(verbs));
    if (near.p == NULL) {
        return iv_err_set(err, IV_E_REFUSED, "'%s' is none of " VERBS, word);
    }
    return iv_err_set(err, IV_E_REFUSED, "'%s' is none of " VERBS "; did you mean " IV_STR_FMT "?", word,
                      IV_STR_ARG(near));
}

static int respond_run(const void *args, const struct iv_words *words, struct iv_err *err)
{
    struct respond_args a = *(const struct respond_args *)args;
    IV_AUTO(iv_config_freep) struct iv_config *config = NULL;
    const struct verb *verb = NULL;
    struct iv_str store = {NULL, 0};
    const char *execution = words->count > 1 ? words->items[1] : NULL;
    struct iv_rc_s rc = find_verb(&verb, words->items[0], err);
    if (iv_ok(rc) && verb->takes_execution != (execution != NULL)) {
        rc = iv_err_set(err, IV_E_REFUSED, "%s %s", verb->name,
                        verb->takes_execution ? "needs an execution's key; 'invigil respond list' has them"
                                              : "takes no execution");
    }
    rc = iv_ok(rc) ? iv_store_option(&store, &config, a.store, a.config, err) : rc;
    a.daemon = config;
    rc = iv_ok(rc) ? verb->run(&a, store, execution, err) : rc;
    return iv_exit_of(rc);
}

static const struct iv_flag respond_flags[] = {
    {.name = "config",
     .kind = IV_FLAG_TEXT,
     .value = "FILE",
     .offset = offsetof(struct respond_args, config),
     .doc = "The daemon's configuration, for its store [/etc/invigil/invigil.yaml]."},
    {.name = "store",
     .kind = IV_FLAG_TEXT,
     .value = "PATH",
     .offset = offsetof(struct respond_args, store),
     .doc = "The store, instead of what the configuration says."},
    {.name = "reason",
     .kind = IV_FLAG_TEXT,
     .value = "TEXT",
     .offset = offsetof(struct respond_args, reason),
     .doc = "Why, for the record."},
    {.name = "key",
     .kind = IV_FLAG_TEXT,
     .value = "FILE",
     .offset = offsetof(struct respond_args, key),
     .doc = "approve, deny: the private key, as 'invigil keygen' wrote it."},
    {.name = "id",
     .kind = IV_FLAG_TEXT,
     .value = "ID",
     .offset = offsetof(struct respond_args, id),
     .doc = "approve, deny: the key's id in the baseline's keys:."},
    {.name = "role",
     .kind = IV_FLAG_TEXT,
     .value = "ROLE",
     .offset = offsetof(struct respond_args, role),
     .doc = "approve, deny: the key's role [the first that the execution asks for]."},
};

const struct iv_command iv_command_respond = {
    .name = "respond",
    .synopsis = "pause|resume|status|list|show|approve|deny|undo [EXECUTION] [--config FILE|--store PATH] "
                "[--reason TEXT]",
    .doc = "What people say to playbooks: stop all, go on, this one may, this one must not.",
    .details = "pause: within a second nothing more is called; what is in flight ends. It outlives restarts, "
               "and is on\n"
               "record with the name of whoever said so.\n"
               "status: whether that is so, and how many executions there are in each state.\n"
               "list: what waits for approval. show: one execution with each request as it would be sent, "
               "and what was\n"
               "said about it. approve, deny: signed, for exactly these requests; the daemon says whether it "
               "counts.\n"
               "undo: what a playbook takes back later is taken back now; who asked and why is on record.",
    .flags = respond_flags,
    .flag_count = IV_COUNT(respond_flags),
    .args_size = sizeof(struct respond_args),
    .min_words = 1,
    .max_words = 2,
    .run = respond_run,
};
