/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"
#include "app/demo/check.h"
#include "app/demo/stage.h"
#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "daemon/load.h"
#include "daemon/monitor.h"
#include "daemon/signals.h"
#include "respond/playbook.h"

#include <stdio.h>
#include <unistd.h>

#define TICK (200 * IV_NS_PER_MS)
#define STATUS_EVERY IV_NS_PER_S
#define CHECK_SECONDS 20 /* at the least, so that tokens have lived and died */
#define CHECK_PATIENCE 60

struct demo_args {
    int64_t seconds;
    const char *listen;
    bool check;
};

struct demo {
    const struct demo_args *args;
    struct iv_stage *stage;
    struct iv_baseline *baseline;
    struct iv_playbooks *playbooks;
    struct iv_monitor *monitor;
    struct iv_clock clock;
    iv_ns begun;
    iv_ns told;
};

static void tell(struct demo *d)
{
    iv_ns now = iv_monotonic(&d->clock);
    if (now - d->told < STATUS_EVERY || !isatty(STDERR_FILENO)) {
        return;
    }
    struct iv_stage_figures figures;
    iv_stage_figures(d->stage, &figures);
    double found = iv_metrics_sum(iv_monitor_metrics(d->monitor), IV_METRIC_FINDINGS);
    (void)fprintf(stderr, "\r%6.0f s  %8llu events  %5llu planted  %5.0f found  %5llu hooks called   ",
                  (double)(now - d->begun) / 1e9, (unsigned long long)figures.events,
                  (unsigned long long)figures.planted, found, (unsigned long long)figures.hooks);
    d->told = now;
}

static void print_report(const struct iv_demo_report *r)
{
    printf("planted and due: %zu, found: %zu, invented: %zu\n", r->due, r->found, r->invented);
    printf("with a playbook: %zu, carried out: %zu, proven to have worked: %zu, in doubt: %zu\n", r->to_act,
           r->acted, r->proven, r->in_doubt);
    printf("shown by the console: %s\n", r->shown ? "yes" : "no");
    if (r->first_missing[0] != '\0') {
        printf("first that was missed: %s\n", r->first_missing);
    }
}

/* True when the check has its answer: passed, or out of patience. */
static bool answered(struct demo *d, struct iv_demo_report *report, struct iv_rc_s *rc, struct iv_err *err)
{
    iv_ns age = iv_monotonic(&d->clock) - d->begun;
    iv_ns least = (d->args->seconds > 0 ? d->args->seconds : CHECK_SECONDS) * IV_NS_PER_S;
    if (age < least) {
        return false;
    }
    *rc = iv_demo_check(report, d->stage, d->baseline, iv_monitor_url(d->monitor), iv_wall(&d->clock), err);
    return !iv_ok(*rc) || iv_demo_passed(report) || age > least + CHECK_PATIENCE * IV_NS_PER_S;
}

/* Until a signal, the time, a failure or the check's answer. */
static int watch(struct demo *d, struct iv_err *err)
{
    for (;;) {
        int signal = iv_signals_wait(TICK);
        struct iv_demo_report report;
        struct iv_rc_s rc = IV_OK;
        if (!iv_monitor_tick(d->monitor, err)) {
            return IV_EXIT_FAILED;
        }
        tell(d);
        if (signal == SIGHUP) {
            iv_monitor_reload(d->monitor);
        }
        if (signal == SIGINT || signal == SIGTERM) {
            return d->args->check ? IV_EXIT_FAILED : IV_EXIT_DONE;
        }
        if (d->args->check && answered(d, &report, &rc, err)) {
            if (iv_ok(rc)) {
                print_report(&report);
            }
            return !iv_ok(rc) ? iv_exit_of(rc) : iv_demo_passed(&report) ? IV_EXIT_DONE : IV_EXIT_FOUND;
        }
        bool over =
            d->args->seconds > 0 && iv_monotonic(&d->clock) - d->begun > d->args->seconds * IV_NS_PER_S;
        if (!d->args->check && over) {
            return IV_EXIT_DONE;
        }
    }
}

static int play(struct demo *d, struct iv_err *err)
{
    struct iv_rc_s rc =
        iv_load_baseline(&d->baseline, &d->playbooks, iv_stage_config(d->stage)->baseline, err);
    if (iv_ok(rc)) {
        rc = iv_monitor_start(&d->monitor, iv_stage_config(d->stage), d->baseline, d->playbooks, NULL, err);
    }
    if (iv_ok(rc)) {
        rc = iv_stage_play(d->stage, err);
    }
    if (!iv_ok(rc)) {
        return iv_exit_of(rc);
    }
    printf("A simulated fleet is running, and Invigil watches it. The console: %s\n%s",
           iv_monitor_url(d->monitor), d->args->check ? "" : "Ctrl-C ends it.\n");
    (void)fflush(stdout);
    d->begun = iv_monotonic(&d->clock);
    int status = watch(d, err);
    if (isatty(STDERR_FILENO)) {
        (void)fputc('\n', stderr);
    }
    return status;
}

static int demo_run(const void *args, const struct iv_words *words, struct iv_err *err)
{
    struct demo d = {.args = args, .clock = iv_clock_system()};
    struct iv_stage_options options = {.agents = 60,
                                       .violations = 0.025,
                                       .seed = (uint64_t)iv_wall(&d.clock),
                                       .listen = iv_str_of(d.args->listen)};
    (void)words;
    if (d.args->check && d.args->listen == NULL) {
        options.listen = IV_STR("127.0.0.1:0");
    }
    iv_log_configure(IV_LOG_WARN, IV_LOG_LOGFMT);
    iv_signals_block();
    struct iv_rc_s rc = iv_stage_open(&d.stage, &options, err);
    int status = iv_ok(rc) ? play(&d, err) : iv_exit_of(rc);
    iv_monitor_stop(d.monitor);
    iv_playbooks_unref(d.playbooks);
    iv_baseline_unref(d.baseline);
    iv_stage_close(d.stage);
    return status;
}

#define OFFSET(member) offsetof(struct demo_args, member)
static const struct iv_flag demo_flags[] = {
    {.name = "seconds",
     .kind = IV_FLAG_INT,
     .value = "N",
     .offset = OFFSET(seconds),
     .min = 1,
     .max = 1e9,
     .doc = "Ends after that long; with --check: looks no earlier [20]."},
    {.name = "listen",
     .kind = IV_FLAG_TEXT,
     .value = "ADDR:PORT",
     .offset = OFFSET(listen),
     .doc = "Where the console listens [127.0.0.1:8088]."},
    {.name = "check",
     .kind = IV_FLAG_BOOL,
     .offset = OFFSET(check),
     .doc = "Unattended: 0 if every planted violation was found, acted upon and shown; 3 if not."},
};

const struct iv_command iv_command_demo = {
    .name = "demo",
    .synopsis = "[--seconds N] [--listen ADDR:PORT] [--check]",
    .doc = "Everything in one process: a broker, a fleet with planted violations, the monitor, the console.",
    .flags = demo_flags,
    .flag_count = IV_COUNT(demo_flags),
    .args_size = sizeof(struct demo_args),
    .run = demo_run,
};
