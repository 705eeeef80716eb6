/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"
#include "app/config.h"
#include "app/confinement.h"
#include "app/load.h"
#include "app/monitor.h"
#include "app/signals.h"
#include "base/guard.h"
#include "base/log.h"
#include "baseline/problems.h"
#include "respond/playbook.h"

#include <stdio.h>

#define TICK (200 * IV_NS_PER_MS)

struct run_args {
    const char *config;
    const char *roles;
    bool check;
};

static iv_rc load_config(struct iv_config **out, const char *path, struct iv_err *err)
{
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    TRY(iv_problems_new(&problems, err));
    iv_problems_keep_secrets(problems);
    struct iv_rc_s rc = iv_config_load(out, path, problems, err);
    iv_print_problems(problems);
    return rc;
}

static void wait_for_the_end(struct iv_monitor *monitor, struct iv_err *err)
{
    for (;;) {
        int signal = iv_signals_wait(TICK);
        if (signal == SIGTERM || signal == SIGINT) {
            LOG_INFO("run.stopping", KV_I64("signal", signal));
            return;
        }
        if (signal == SIGHUP) {
            iv_monitor_reload(monitor);
        }
        if (!iv_monitor_tick(monitor, err)) {
            return;
        }
    }
}

static iv_rc run_daemon(const struct iv_config *config, bool check_only, struct iv_err *err)
{
    IV_AUTO(iv_baseline_unrefp) struct iv_baseline *baseline = NULL;
    IV_AUTO(iv_playbooks_unrefp) struct iv_playbooks *playbooks = NULL;
    IV_AUTO(iv_confinement_freep) struct iv_confinement *confinement = NULL;
    TRY(iv_load_baseline(&baseline, &playbooks, config->baseline, err));
    TRY(iv_confinement_new(&confinement, config, baseline, err));
    if (check_only) {
        TRY(iv_monitor_check(config, err));
        printf("The configuration and its baseline are in order: %zu rules, %zu playbooks.\n",
               baseline->rule_count, iv_playbooks_count(playbooks));
        iv_confinement_show(confinement);
        return IV_OK;
    }
    LOG_INFO("run.starting", KV_TEXT("version", IV_VERSION), KV_STR("baseline", baseline->name),
             KV_TEXT("digest", baseline->digest_hex), KV_I64("rules", baseline->rule_count));
    if (config->signing_key_file.p != NULL) {
        LOG_WARN("run.signing_key_file", KV_STR("configured", config->signing_key_file),
                 KV_TEXT("why", "this version signs nothing of its own"));
    }
    struct iv_monitor *monitor = NULL;
    struct iv_confined confined;
    TRY(iv_confinement_enter(&confined, confinement, err));
    TRY(iv_monitor_start(&monitor, config, baseline, playbooks, err));
    iv_confinement_count(&confined, iv_monitor_metrics(monitor));
    err->code = IV_CODE_OK;
    wait_for_the_end(monitor, err);
    iv_monitor_stop(monitor);
    LOG_INFO("run.stopped", KV_TEXT("why", err->code == IV_CODE_OK ? "asked to" : err->text));
    return (struct iv_rc_s){err->code};
}

static int run_run(const void *args, const struct iv_words *words, struct iv_err *err)
{
    const struct run_args *a = args;
    (void)words;
    if (!a->check) {
        iv_signals_block(); /* first of all: a SIGHUP that comes while it starts is a reload, not its end */
    }
    IV_AUTO(iv_config_freep) struct iv_config *config = NULL;
    struct iv_rc_s rc = load_config(&config, a->config, err);
    if (iv_ok(rc) && a->roles != NULL) {
        rc = iv_config_set_roles(config, a->roles, err);
    }
    if (iv_ok(rc)) {
        iv_log_configure(config->log_level, config->log_format);
        rc = run_daemon(config, a->check, err);
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
    {.name = "check",
     .kind = IV_FLAG_BOOL,
     .offset = offsetof(struct run_args, check),
     .doc = "Says what is wrong with the configuration and its baseline, and starts nothing."},
};

const struct iv_command iv_command_run = {
    .name = "run",
    .synopsis = "[--config FILE] [--roles ROLES] [--check]",
    .doc = "The daemon: reads the topics, keeps the findings, carries out the playbooks, serves the console.",
    .details =
        "SIGTERM and SIGINT end it cleanly: what was read is made durable, the consumer group is left.\n"
        "SIGHUP reads the baseline again: one that is refused leaves the one in force as it is.",
    .flags = run_flags,
    .flag_count = IV_COUNT(run_flags),
    .args_size = sizeof(struct run_args),
    .run = run_run,
};
