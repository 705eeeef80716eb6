/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/load.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "respond/playbook.h"

#include <stdio.h>
#include <unistd.h>

#define DIAGNOSTICS_MAX_BYTES ((size_t)16 << 20)

void iv_print_problems(const struct iv_problems *problems)
{
    struct iv_buf text;
    iv_buf_init(&text, DIAGNOSTICS_MAX_BYTES);
    iv_problems_render(&text, problems);
    (void)fwrite(iv_buf_slice(&text).p, 1, text.n, stderr);
    iv_buf_deinit(&text);
}

bool iv_told_to_a_person(void)
{
    return isatty(STDERR_FILENO) == 1;
}

static void log_problem(void *ctx, const struct iv_problem *problem)
{
    (void)ctx;
    LOG_AT(problem->warning ? IV_LOG_WARN : IV_LOG_ERROR, "run.reload.problem",
           KV_STR("file", problem->at.file), KV_I64("line", problem->at.line),
           KV_I64("column", problem->at.column), KV_STR("message", problem->text));
}

static void log_problems(const struct iv_problems *problems)
{
    size_t more = iv_problems_each(problems, log_problem, NULL);
    if (more > 0) {
        LOG_ERROR("run.reload.problems", KV_I64("not_shown", more));
    }
}

/* What the playbooks of a refused baseline came to: the errors of both are counted. */
static iv_rc also(struct iv_rc_s rc, const struct iv_problems *problems, struct iv_err *err)
{
    return rc.code == IV_E_REFUSED ? iv_problems_done(problems, "the baseline", err) : rc;
}

static iv_rc load_both(struct iv_baseline **baseline, struct iv_playbooks **playbooks, struct iv_str path,
                       struct iv_problems *problems, struct iv_err *err)
{
    IV_AUTO(iv_baseline_unrefp) struct iv_baseline *rest = NULL;
    struct iv_rc_s rc = iv_baseline_load_rest(baseline, &rest, path, problems, err);
    if (rest != NULL) {
        IV_AUTO(iv_playbooks_unrefp) struct iv_playbooks *unused = NULL;
        return also(iv_playbooks_load(&unused, rest, problems, err), problems, err);
    }
    TRY(rc);
    return iv_playbooks_load(playbooks, *baseline, problems, err);
}

static iv_rc check_both(struct iv_baseline **baseline, struct iv_str path, struct iv_problems *problems,
                        struct iv_err *err)
{
    const struct iv_clock clock = iv_clock_system();
    IV_AUTO(iv_baseline_unrefp) struct iv_baseline *rest = NULL;
    struct iv_rc_s rc = iv_baseline_load_rest(baseline, &rest, path, problems, err);
    if (rest != NULL) {
        return also(iv_playbooks_check(rest, iv_wall(&clock), problems, err), problems, err);
    }
    TRY(rc);
    return iv_playbooks_check(*baseline, iv_wall(&clock), problems, err);
}

static iv_rc load(struct iv_baseline **out, struct iv_playbooks **playbooks, struct iv_str path,
                  void (*tell)(const struct iv_problems *problems), struct iv_err *err)
{
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    IV_AUTO(iv_baseline_unrefp) struct iv_baseline *baseline = NULL;
    IV_AUTO(iv_playbooks_unrefp) struct iv_playbooks *loaded = NULL;
    TRY(iv_problems_new(&problems, err));
    struct iv_rc_s rc = load_both(&baseline, &loaded, path, problems, err);
    tell(problems);
    TRY(rc);
    *out = TAKE(baseline);
    if (playbooks != NULL) {
        *playbooks = TAKE(loaded);
    }
    return IV_OK;
}

iv_rc iv_load_baseline(struct iv_baseline **out, struct iv_playbooks **playbooks, struct iv_str path,
                       struct iv_err *err)
{
    return load(out, playbooks, path, iv_print_problems, err);
}

iv_rc iv_reload_baseline(struct iv_baseline **out, struct iv_playbooks **playbooks, struct iv_str path,
                         struct iv_err *err)
{
    return load(out, playbooks, path, iv_told_to_a_person() ? iv_print_problems : log_problems, err);
}

iv_rc iv_check_baseline(struct iv_baseline **out, struct iv_str path, struct iv_err *err)
{
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    IV_AUTO(iv_baseline_unrefp) struct iv_baseline *baseline = NULL;
    TRY(iv_problems_new(&problems, err));
    struct iv_rc_s rc = check_both(&baseline, path, problems, err);
    iv_print_problems(problems);
    TRY(rc);
    *out = TAKE(baseline);
    return IV_OK;
}
