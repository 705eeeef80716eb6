/* SPDX-License-Identifier: Apache-2.0 */
/* Programs are started as the table says, and no other way. */
#include "base/clock.h"
#include "base/guard.h"
#include "respond/local.h"
#include "respond/peer.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TELL IV_STR_INIT(IV_SOURCE_DIR "/tests/respond/tell")

static const struct iv_str words[] = {IV_STR_INIT("--agent={{agent}}"), IV_STR_INIT("{{what}}"),
                                      IV_STR_INIT("a b;$HOME")};
static const struct iv_str one[] = {IV_STR_INIT("{{what}}")};
static const struct iv_str path[] = {IV_STR_INIT("/agents/{{what}}/x")};
static const struct iv_hand_command commands[] = {
    {IV_STR_INIT("tell"), TELL, words, 3, {NULL, 0}, 120 * IV_NS_PER_S, 2048},
    {IV_STR_INIT("one"), TELL, one, 1, {NULL, 0}, 120 * IV_NS_PER_S, 2048},
    {IV_STR_INIT("path"), TELL, path, 1, {NULL, 0}, 120 * IV_NS_PER_S, 2048},
    {IV_STR_INIT("brief"), TELL, one, 1, {NULL, 0}, 300 * IV_NS_PER_MS, 16},
    {IV_STR_INIT("missing"), IV_STR_INIT("/nonexistent/program"), NULL, 0, {NULL, 0}, IV_NS_PER_S, 16},
    {IV_STR_INIT("nobody"), TELL, one, 1, IV_STR_INIT("nobody"), 120 * IV_NS_PER_S, 2048},
};
static const struct iv_hand_options table = {.commands = commands, .command_count = IV_COUNT(commands)};

Test(exec, gives_each_value_one_argument_and_nothing_of_the_monitors)
{
    (void)setenv("SECRET", "of the monitor", 1);

    struct iv_step step =
        local_step(&table, "exec: {command: tell, values: {agent: \"x y'\\\"\", what: \"$(id) > /tmp/x\"}}");

    char want[256];
    (void)snprintf(want, sizeof want, "<--agent=x y'\"><$(id) > /tmp/x><a b;$HOME> uid %u group ",
                   (unsigned)getuid());
    cr_expect(step.state == IV_STEP_DONE, "%s", step.cause.p);
    cr_expect(strncmp(step.answer.p, want, strlen(want)) == 0, "%s", step.answer.p);
    cr_expect(strstr(step.answer.p, "environment 0 input 0 privileges 1\n") != NULL, "%s", step.answer.p);
}

Test(exec, becomes_the_commands_user)
{
    if (getuid() != 0) {
        peer_skip("only root becomes somebody else");
    }

    struct iv_step step = local_step(&table, "exec: {command: nobody, values: {what: x}}");

    cr_expect(step.state == IV_STEP_DONE, "%s", step.cause.p);
    cr_expect(strstr(step.answer.p, " uid 65534 group 65534 ") != NULL, "%s", step.answer.p);
}

Test(exec, ends_as_the_command_does)
{
    static const struct {
        const char *action;
        enum iv_step_state state;
        int64_t attempt;
        int64_t status;
        const char *cause;
    } rows[] = {
        {"exec: {command: one, values: {what: fail}}", IV_STEP_FAILED, 1, 3, "exited with status 3"},
        {"exec: {command: brief, values: {what: hang}}", IV_STEP_FAILED, 2, 0,
         "did not end in time, and was killed"},
        {"exec: {command: one, values: {what: flood}}", IV_STEP_FAILED, 2, 0, "and was killed"},
        {"exec: {command: missing}", IV_STEP_FAILED, 1, 0, "cannot be started: No such file"},
        {"exec: {command: unheard}", IV_STEP_UNSUPPORTED, 1, 0, "no command of this name"},
        {"exec: {command: one}", IV_STEP_FAILED, 1, 0, "the step gives no value 'what'"},
        {"exec: {command: one, values: {what: -rf}}", IV_STEP_FAILED, 1, 0, "begins with '-'"},
        {"exec: {command: one, values: {what: \"a\\0b\"}}", IV_STEP_FAILED, 1, 0, "holds a NUL"},
        {"exec: {command: path, values: {what: ../../etc}}", IV_STEP_FAILED, 1, 0,
         "cannot be part of a path"},
        {"exec: {command: path, values: {what: ..}}", IV_STEP_FAILED, 1, 0, "cannot be part of a path"},
        {"exec: {command: path, values: {what: \"\"}}", IV_STEP_FAILED, 1, 0, "cannot be part of a path"},
        {"exec: {command: path, values: {what: a..b}}", IV_STEP_DONE, 1, 0, ""},
        {"exec: {command: one, values: {what: ../..}}", IV_STEP_DONE, 1, 0, ""},
        {"exec: {command: one, values: {what: \"{{trigger.scope?}}\"}}", IV_STEP_FAILED, 0, 0,
         "'values.what' must be a mapping of texts"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_step step = local_step(&table, rows[i].action);

        cr_expect(step.state == rows[i].state, "%s: %s", rows[i].action, step.cause.p);
        cr_expect(step.attempt == rows[i].attempt, "%s: attempt %d", rows[i].action, (int)step.attempt);
        cr_expect(step.status == rows[i].status, "%s: %d", rows[i].action, (int)step.status);
        cr_expect(strstr(step.cause.p, rows[i].cause) != NULL, "%s: %s", rows[i].action, step.cause.p);
        cr_expect(step.answer.n <= 2048);
    }
}

Test(exec, keeps_no_more_output_than_asked_for)
{
    struct iv_step step = local_step(&table, "exec: {command: brief, values: {what: words}}");

    cr_expect(step.state == IV_STEP_DONE, "%s", step.cause.p);
    cr_expect_str_eq(step.answer.p, "<words> uid 0 gr" + (getuid() == 0 ? 0 : 16));
}

/* In its group, and in a session of its own. */
Test(exec, leaves_nothing_running)
{
    static const char *const ways[] = {"leave", "detach"};
    for (size_t i = 0; i < IV_COUNT(ways); i++) {
        char action[64];
        (void)snprintf(action, sizeof action, "exec: {command: one, values: {what: %s}}", ways[i]);

        struct iv_step step = local_step(&table, action);

        const char *number = step.answer.n == 0 ? NULL : strchr(step.answer.p, '>');
        cr_assert(step.state == IV_STEP_DONE && number != NULL, "%s: %s", step.cause.p, step.answer.p);
        int pid = (int)strtol(number + 1, NULL, 10);
        cr_assert(pid > 1, "%s", step.answer.p);
        while (!process_gone(pid)) {
            iv_pause(IV_NS_PER_MS);
        }
    }
}

Test(exec, ends_with_the_monitor)
{
    struct iv_hand *hand = NULL;
    struct iv_err err = {.text = ""};
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    char path[128];
    char text[32] = "";
    (void)snprintf(path, sizeof path, "%s/pid", dir.path);
    const struct iv_str arguments[] = {IV_STR("-c"),
                                       IV_STR("echo $$ > \"$0.part\"; mv \"$0.part\" \"$0\"; exec sleep 600"),
                                       IV_STR("{{path}}")};
    const struct iv_hand_command shell = {IV_STR("sh"), IV_STR("/bin/sh"), arguments, 3,
                                          {NULL, 0},    300 * IV_NS_PER_S, 16};
    const struct iv_hand_options options = {.commands = &shell, .command_count = 1};
    cr_assert(iv_ok(iv_hand_start(&hand, &options, NULL, NULL, &err)), "%s", err.text);
    struct iv_hand_order order = {
        IV_HAND_RUN, {IV_STR("sh"), IV_STR("path"), iv_str_of(path)}, 3, 300 * IV_NS_PER_S};
    cr_assert(iv_ok(iv_hand_send(hand, 1, &order, &err)), "%s", err.text);
    FILE *file = NULL;
    while ((file = fopen(path, "r")) == NULL) {
        iv_pause(IV_NS_PER_MS);
    }
    cr_assert(fgets(text, sizeof text, file) != NULL);
    (void)fclose(file);

    iv_hand_stop(hand);

    while (!process_gone((int)strtol(text, NULL, 10))) {
        iv_pause(IV_NS_PER_MS);
    }
}

/* The one whose parent this process is. */
static pid_t find_hand(void)
{
    pid_t found = 0;
    DIR *proc = opendir("/proc");
    cr_assert(proc != NULL);
    for (const struct dirent *e = readdir(proc); e != NULL; e = readdir(proc)) {
        char path[300];
        char line[512] = "";
        long parent = 0;
        (void)snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
        FILE *file = fopen(path, "r");
        const char *rest = file == NULL || fgets(line, sizeof line, file) == NULL ? NULL : strrchr(line, ')');
        parent = rest == NULL || strlen(rest) < 4 ? 0 : strtol(rest + 4, NULL, 10);
        found = parent == (long)getpid() ? (pid_t)strtol(e->d_name, NULL, 10) : found;
        if (file != NULL) {
            (void)fclose(file);
        }
    }
    (void)closedir(proc);
    return found;
}

Test(exec, cannot_go_on_without_the_hand_and_says_so)
{
    struct stage s;
    struct iv_err err = {.text = ""};
    struct iv_rc_s rc = IV_OK;
    local_init(&s, &table, "exec: {command: one, values: {what: hang}}");
    pid_t hand = find_hand();
    cr_assert(hand > 1 && kill(hand, SIGKILL) == 0);

    while (iv_ok(rc)) {
        rc = iv_responder_turn(s.responder, 100 * IV_NS_PER_MS, &err);
    }

    cr_expect(rc.code == IV_E_STATE && strstr(err.text, "the hand") != NULL, "%s", err.text);
    local_deinit(&s);
}

Test(exec, is_unsupported_where_nothing_may_be_done)
{
    struct iv_step step = local_step(NULL, "exec: {command: one, values: {what: x}}");

    cr_expect(step.state == IV_STEP_UNSUPPORTED && strstr(step.cause.p, "has no 'local'") != NULL, "%s",
              step.cause.p);
}
