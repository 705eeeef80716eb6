/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"
#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "baseline/problems.h"
#include "daemon/canary.h"
#include "daemon/config.h"
#include "daemon/confinement.h"
#include "daemon/load.h"
#include "daemon/monitor.h"
#include "daemon/notify.h"
#include "daemon/premises.h"
#include "daemon/signals.h"
#include "hand/hand.h"
#include "respond/playbook.h"

#include <stdio.h>

#define TICK (200 * IV_NS_PER_MS)
#define LOOK_EVERY (15 * IV_NS_PER_S) /* without a watchdog: half of what is told as standing still */

struct run_args {
    const char *config;
    const char *roles;
    bool check;
    bool dry_run;
};

static iv_rc load_config(struct iv_config **out, const struct run_args *args, struct iv_err *err)
{
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    TRY(iv_problems_new(&problems, err));
    iv_problems_keep_secrets(problems);
    struct iv_rc_s rc = iv_config_load(out, args->config, args->roles, problems, err);
    iv_print_problems(problems);
    return rc;
}

/* What is told of the daemon's progress, and what has been. */
struct telling {
    struct iv_notify notify;
    struct iv_clock clock;
    iv_ns every;    /* between two looks at whether it gets on */
    iv_ns moved;    /* monotonic: when every part was last seen to */
    bool reloading; /* told that, and not yet that it is over */
    bool standing;  /* told which part does not get on */
};

static void tell_standing(struct telling *t, struct iv_monitor *monitor, const char *part, iv_ns since)
{
    char text[96];
    (void)snprintf(text, sizeof text, "no progress: %s", part);
    iv_notify_status(&t->notify, text);
    iv_monitor_healthy(monitor, part);
    LOG_ERROR("run.no_progress", KV_TEXT("part", part), KV_F64("for_s", (double)since / 1e9));
    t->standing = true;
}

/* Nothing is told for time that has passed, only for turns that were done. */
static void tell_progress(struct telling *t, struct iv_monitor *monitor)
{
    iv_ns now = iv_monotonic(&t->clock);
    if (now - t->moved < t->every) {
        return;
    }
    const char *part = iv_monitor_standing(monitor);
    if (iv_monitor_moved(monitor)) {
        iv_notify_alive(&t->notify);
        t->moved = now;
        if (t->standing) {
            iv_notify_status(&t->notify, "watching");
            iv_monitor_healthy(monitor, NULL);
            LOG_INFO("run.progress", KV_TEXT("then", "every part gets on again"));
        }
        t->standing = false;
    } else if (part != NULL && !t->standing && now - t->moved >= 2 * t->every) {
        tell_standing(t, monitor, part, now - t->moved);
    }
}

static void tell_reloaded(struct telling *t, const struct iv_monitor *monitor)
{
    if (t->reloading && !iv_monitor_reloading(monitor)) {
        iv_notify_ready(&t->notify, "watching");
        t->reloading = false;
    }
}

static void reload(struct telling *t, struct iv_monitor *monitor)
{
    iv_notify_reloading(&t->notify, iv_monotonic(&t->clock));
    t->reloading = true;
    iv_monitor_reload(monitor);
}

static void wait_for_the_end(struct telling *t, struct iv_monitor *monitor, struct iv_err *err)
{
    iv_notify_ready(&t->notify, "watching");
    t->moved = iv_monotonic(&t->clock);
    t->every = t->notify.alive_every > 0 ? t->notify.alive_every : LOOK_EVERY;
    for (;;) {
        int signal = iv_signals_wait(TICK);
        if (signal == SIGTERM || signal == SIGINT) {
            LOG_INFO("run.stopping", KV_I64("signal", signal));
            return;
        }
        if (signal == SIGHUP) {
            reload(t, monitor);
        }
        if (!iv_monitor_tick(monitor, err)) {
            return;
        }
        tell_reloaded(t, monitor);
        tell_progress(t, monitor);
    }
}

static void stop_telling(struct telling *t)
{
    iv_notify_close(&t->notify);
}

static void wipe(void *config)
{
    iv_config_wipe(config);
}

/* It does not share the confinement, so it comes before it; and it needs no secret. */
static iv_rc start_hand(struct iv_hand **out, struct iv_config *config, struct iv_err *err)
{
    bool wanted = (config->roles & IV_ROLE_RESPOND) != 0 && iv_hand_wanted(&config->local);
    return wanted ? iv_hand_start(out, &config->local, wipe, config, err) : IV_OK;
}

static iv_rc work(struct iv_config *config, struct iv_baseline *baseline, struct iv_playbooks *playbooks,
                  const struct iv_confinement *confinement, struct iv_err *err)
{
    IV_AUTO(iv_hand_stopp) struct iv_hand *hand = NULL;
    struct iv_monitor *monitor = NULL;
    struct iv_confined confined;
    IV_AUTO(stop_telling) struct telling t = {.notify = {.fd = -1}, .clock = iv_clock_system()};
    TRY(iv_notify_open(&t.notify, err));
    TRY(start_hand(&hand, config, err));
    TRY(iv_confinement_enter(&confined, confinement, err));
    TRY(iv_monitor_start(&monitor, config, baseline, playbooks, hand, err));
    iv_confinement_count(&confined, iv_monitor_metrics(monitor));
    err->code = IV_CODE_OK;
    wait_for_the_end(&t, monitor, err);
    iv_notify_stopping(&t.notify);
    iv_monitor_stop(monitor);
    LOG_INFO("run.stopped", KV_TEXT("why", err->code == IV_CODE_OK ? "asked to" : err->text));
    return (struct iv_rc_s){err->code};
}

static void print_lack(void *ctx, struct iv_str playbook, const char *lack)
{
    (void)ctx;
    (void)fprintf(stderr,
                  "invigil run: warning: the playbook '" IV_STR_FMT "' %s: such a step ends as unsupported\n",
                  IV_STR_ARG(playbook), lack);
}

static void log_lack(void *ctx, struct iv_str playbook, const char *lack)
{
    (void)ctx;
    LOG_WARN("run.unsupported", KV_STR("playbook", playbook), KV_TEXT("why", lack));
}

/* These are no mistakes of the configuration: it may be for another machine, and a baseline may have
 * playbooks for several sites. */
static void show_premises(const struct iv_config *config, const struct iv_playbooks *playbooks)
{
    struct iv_err err = {.text = ""};
    if (!iv_ok(iv_premises_store(config, true, &err))) {
        (void)fprintf(stderr, "invigil run: warning: %s; a start here would fail\n", err.text);
    }
    iv_premises_lacks(config, playbooks, print_lack, NULL);
}

static iv_rc run_daemon(struct iv_config *config, bool check_only, struct iv_err *err)
{
    IV_AUTO(iv_baseline_unrefp) struct iv_baseline *baseline = NULL;
    IV_AUTO(iv_playbooks_unrefp) struct iv_playbooks *playbooks = NULL;
    IV_AUTO(iv_confinement_freep) struct iv_confinement *confinement = NULL;
    TRY(iv_load_baseline(&baseline, &playbooks, config->baseline, err));
    if (config->respond.dry_run) {
        iv_playbooks_observe(playbooks);
    }
    TRY(iv_playbooks_locate(playbooks, config->endpoints, config->endpoint_count, err));
    TRY(iv_confinement_new(&confinement, config, baseline, err));
    TRY(iv_monitor_check(config, baseline, err));
    if (check_only) {
        TRY(iv_canary_check(config, baseline,
                            err)); /* a start goes on without: its alert says that none is found */
        printf("The configuration and its baseline are in order: %zu rules, %zu playbooks.\n",
               baseline->rule_count, iv_playbooks_count(playbooks));
        iv_confinement_show(confinement);
        show_premises(config, playbooks);
        return IV_OK;
    }
    TRY(iv_premises_store(config, false, err));
    iv_premises_lacks(config, playbooks, log_lack, NULL);
    LOG_INFO("run.starting", KV_TEXT("version", IV_VERSION), KV_STR("baseline", baseline->name),
             KV_TEXT("digest", baseline->digest_hex), KV_I64("rules", baseline->rule_count));
    struct iv_rc_s rc = work(config, baseline, playbooks, confinement, err);
    if (!iv_ok(rc) && !iv_told_to_a_person()) {
        LOG_ERROR("run.failed", KV_TEXT("why", err->text));
        err->text[0] = '\0'; /* it is said */
    }
    return rc;
}

/* A person who mends the configuration wants to know of the baseline's mistakes at once, too. */
static void show_baseline(const struct iv_config *config)
{
    IV_AUTO(iv_baseline_unrefp) struct iv_baseline *baseline = NULL;
    struct iv_err err = {.text = ""};
    if (!iv_ok(iv_load_baseline(&baseline, NULL, config->baseline, &err))) {
        (void)fprintf(stderr, "invigil run: %s\n", err.text);
    }
}

static int run_run(const void *args, const struct iv_words *words, struct iv_err *err)
{
    const struct run_args *a = args;
    (void)words;
    if (!a->check) {
        iv_signals_block(); /* first of all: a SIGHUP that comes while it starts is a reload, not its end */
    }
    IV_AUTO(iv_config_freep) struct iv_config *config = NULL;
    struct iv_rc_s rc = load_config(&config, a, err);
    if (iv_ok(rc)) {
        config->respond.dry_run = config->respond.dry_run || a->dry_run;
        iv_log_configure(config->log_level, config->log_format);
        rc = run_daemon(config, a->check, err);
    } else if (a->check && config != NULL && config->baseline.p != NULL) {
        show_baseline(config);
    }
    return iv_exit_of(rc);
}

static const struct iv_flag run_flags[] = {
    {.name = "config",
     .kind = IV_FLAG_TEXT,
     .value = "FILE",
     .offset = offsetof(struct run_args, config),
     .doc = "The configuration [/etc/invigil/invigil.yaml]."},
    {.name = "roles",
     .kind = IV_FLAG_TEXT,
     .value = "ROLES",
     .offset = offsetof(struct run_args, roles),
     .doc = "What this process does, instead of what the configuration says: detect, respond, console, with "
            "commas "
            "between."},
    {.name = "dry-run",
     .kind = IV_FLAG_BOOL,
     .offset = offsetof(struct run_args, dry_run),
     .doc = "Playbooks go as far as each call and call nothing; what would have been called is on record."},
    {.name = "check",
     .kind = IV_FLAG_BOOL,
     .offset = offsetof(struct run_args, check),
     .doc = "Says what is wrong with the configuration and its baseline, and starts nothing."},
};

const struct iv_command iv_command_run = {
    .name = "run",
    .synopsis = "[--config FILE] [--roles ROLES] [--dry-run] [--check]",
    .doc = "The daemon: reads the topics, keeps the findings, carries out the playbooks, serves the console.",
    .details =
        "SIGTERM and SIGINT end it cleanly: what was read is made durable, the consumer group is left.\n"
        "SIGHUP reads the baseline again: one that is refused leaves the one in force as it is.",
    .flags = run_flags,
    .flag_count = IV_COUNT(run_flags),
    .args_size = sizeof(struct run_args),
    .run = run_run,
};
