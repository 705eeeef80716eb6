/* SPDX-License-Identifier: Apache-2.0 */
/* invigil check: is this baseline sound, what does it ask for, and do its rules do what their tests say. */
#include "app/command.h"
#include "app/rule_summary.h"
#include "daemon/load.h"
#include "trial/rule_tests.h"

#include "base/guard.h"
#include "baseline/baseline.h"

#include <stdio.h>
#include <unistd.h>

struct check_args {
    bool test;
    bool dump;
};

static void print(FILE *file, const struct iv_buf *text)
{
    (void)fwrite(text->p, 1, text->n, file);
}

/* The working folder's rules if there are any, else those that were installed. */
static struct iv_str default_path(void)
{
    return access("rules/baseline.yaml", R_OK) == 0 ? IV_STR("rules") : iv_str_of(IV_RULES_DIR);
}

static iv_rc run_tests(struct iv_baseline *baseline, struct iv_str path, struct iv_problems *problems,
                       struct iv_err *err)
{
    struct iv_rule_test_counts counts;
    TRY(iv_rule_tests_run(&counts, baseline, path, problems, err));
    iv_print_problems(problems);
    printf("\n%zu tests, %zu failed; %zu rules have none\n", counts.tests, counts.failed,
           counts.rules_without);
    ENSURE(counts.failed == 0, err, IV_E_REFUSED, "%zu of the baseline's own tests fail", counts.failed);
    return IV_OK;
}

static iv_rc check(const struct check_args *args, struct iv_str path, struct iv_err *err)
{
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    IV_AUTO(iv_baseline_unrefp) struct iv_baseline *baseline = NULL;
    TRY(iv_problems_new(&problems, err));
    TRY(iv_check_baseline(&baseline, path, err));
    struct iv_buf text;
    iv_buf_init(&text, 256u << 20);
    iv_rule_summary(&text, baseline);
    if (args->dump) {
        iv_rule_dump(&text, baseline);
    }
    print(stdout, &text);
    bool failed = iv_buf_failed(&text);
    iv_buf_deinit(&text);
    ENSURE(!failed, err, IV_E_NOMEM, "cannot hold the summary in memory");
    return args->test ? run_tests(baseline, path, problems, err) : IV_OK;
}

static int check_run(const void *args, const struct iv_words *words, struct iv_err *err)
{
    return iv_exit_of(check(args, words->count > 0 ? iv_str_of(words->items[0]) : default_path(), err));
}

static const struct iv_flag check_flags[] = {
    {.name = "test",
     .kind = IV_FLAG_BOOL,
     .offset = offsetof(struct check_args, test),
     .doc = "Runs the tests that the rules carry."},
    {.name = "dump",
     .kind = IV_FLAG_BOOL,
     .offset = offsetof(struct check_args, dump),
     .doc = "Prints what the rules' expressions compile to."},
};

const struct iv_command iv_command_check = {
    .name = "check",
    .synopsis = "[BASELINE] [--test] [--dump]",
    .doc = "Validates a baseline and says what its rules keep.",
    .details =
        "BASELINE is a folder with a baseline.yaml, or such a file; without it the folder rules, else\n"
        "the rules that were installed. What is wrong is printed on standard error, each with its\n"
        "file, line and column, all of it in one run.",
    .flags = check_flags,
    .flag_count = IV_COUNT(check_flags),
    .args_size = sizeof(struct check_args),
    .max_words = 1,
    .run = check_run,
};
