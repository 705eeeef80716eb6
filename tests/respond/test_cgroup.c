/* SPDX-License-Identifier: Apache-2.0 */
/* Real control groups with real processes. Skips itself where it may make none. */
#include "base/clock.h"
#include "base/guard.h"
#include "respond/local.h"
#include "respond/peer.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct scene {
    char top[128]; /* what the configuration names */
    char group[160];
    pid_t pid; /* a process in it */
    struct iv_hand_options options;
};

static bool put(const char *folder, const char *name, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    bool good = file != NULL && fputs(text, file) >= 0;
    return file != NULL && fclose(file) == 0 && good;
}

static bool says(const char *folder, const char *name, const char *what)
{
    char path[256];
    char text[256] = "";
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    cr_assert(file != NULL, "%s", path);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    return strstr(text, what) != NULL;
}

/* Below the group that the test itself is in, wherever version 2 is mounted. */
static bool make_top(char *out, size_t size)
{
    static const char *const places[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    for (size_t i = 0; i < IV_COUNT(places); i++) {
        char file[256];
        (void)snprintf(out, size, "%s/invigil-test-%d", places[i], (int)getpid());
        (void)snprintf(file, sizeof file, "%s/cgroup.kill", out);
        if (mkdir(out, 0755) == 0) {
            if (access(file, W_OK) == 0) {
                return true;
            }
            (void)rmdir(out);
        }
    }
    return false;
}

static void populate(struct scene *s)
{
    char number[16];
    s->pid = fork();
    cr_assert(s->pid >= 0);
    if (s->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
            (void)pause();
        }
    }
    (void)snprintf(number, sizeof number, "%d", (int)s->pid);
    cr_assert(put(s->group, "cgroup.procs", number));
}

static void scene_init(struct scene *s)
{
    if (!make_top(s->top, sizeof s->top)) {
        peer_skip("no control groups of version 2 can be made here");
    }
    (void)snprintf(s->group, sizeof s->group, "%s/agent-7", s->top);
    cr_assert(mkdir(s->group, 0755) == 0);
    s->options = (struct iv_hand_options){.cgroups = iv_str_of(s->top)};
    populate(s);
}

static void scene_deinit(struct scene *s)
{
    (void)put(s->group, "cgroup.kill", "1");
    (void)waitpid(s->pid, NULL, 0);
    while (rmdir(s->group) != 0 && access(s->group, F_OK) == 0) {
        iv_pause(IV_NS_PER_MS);
    }
    (void)rmdir(s->top);
}

Test(cgroup, kill_ends_every_process)
{
    IV_AUTO(scene_deinit) struct scene s;
    scene_init(&s);

    struct iv_step step = local_step(&s.options, "cgroup.kill: {group: agent-7}");

    cr_expect(step.state == IV_STEP_DONE && step.cause.n == 0, "%s", step.cause.p);
    cr_expect(says(s.group, "cgroup.events", "populated 0"));
    cr_expect(process_gone(s.pid));
}

Test(cgroup, freeze_stops_every_process_and_they_can_still_be_killed)
{
    IV_AUTO(scene_deinit) struct scene s;
    scene_init(&s);

    struct iv_step step = local_step(&s.options, "cgroup.freeze: {group: agent-7}");

    cr_expect(step.state == IV_STEP_DONE, "%s", step.cause.p);
    cr_expect(says(s.group, "cgroup.events", "frozen 1") && !process_gone(s.pid));
    cr_expect(local_step(&s.options, "cgroup.freeze: {group: agent-7}").state == IV_STEP_DONE, "again");
    cr_expect(local_step(&s.options, "cgroup.kill: {group: agent-7}").state == IV_STEP_DONE);
    cr_expect(process_gone(s.pid));
}

Test(cgroup, freeze_can_be_taken_back)
{
    IV_AUTO(scene_deinit) struct scene s;
    scene_init(&s);
    cr_assert(local_step(&s.options, "cgroup.freeze: {group: agent-7}").state == IV_STEP_DONE);

    struct iv_step step = local_step(&s.options, "cgroup.freeze: {group: agent-7, state: thawed}");

    cr_expect(step.state == IV_STEP_DONE, "%s", step.cause.p);
    cr_expect(says(s.group, "cgroup.events", "frozen 0") && !process_gone(s.pid));
    step = local_step(&s.options, "cgroup.freeze: {group: agent-7, state: thawed}");
    cr_expect(step.state == IV_STEP_DONE, "again: %s", step.cause.p);
}

Test(cgroup, is_absent_where_there_is_nobody)
{
    IV_AUTO(scene_deinit) struct scene s;
    scene_init(&s);

    cr_expect(local_step(&s.options, "cgroup.kill: {group: agent-8}").state == IV_STEP_ABSENT);
    cr_expect(local_step(&s.options, "cgroup.kill: {group: agent-7}").state == IV_STEP_DONE);
    struct iv_step step = local_step(&s.options, "cgroup.kill: {group: agent-7}");
    cr_expect(step.state == IV_STEP_ABSENT, "%s", step.cause.p);
    cr_expect(local_step(&s.options, "cgroup.freeze: {group: agent-7}").state == IV_STEP_ABSENT);
}

Test(cgroup, touches_nothing_but_what_is_below_its_folder)
{
    static const char *const names[] = {"..",         "../invigil-other",     ".",        "./.",
                                        "/",          "agent-7/../..",        "",         "/sys/fs/cgroup",
                                        "agent-7/..", "./agent-7/../../x",    "agent-7/", "./agent-7",
                                        "agent-7//",  "agent-7/cgroup.procs", "agent-7/."};
    char cause[512];
    IV_AUTO(scene_deinit) struct scene s;
    scene_init(&s);
    for (size_t i = 0; i < IV_COUNT(names); i++) {
        enum iv_hand_result result = local_order(&s.options, IV_HAND_CGROUP_KILL, names[i], cause);

        cr_expect(result == IV_HAND_FAILED || result == IV_HAND_ABSENT, "%s: %s", names[i], cause);
        cr_expect(process_gone(s.pid) == false, "%s", names[i]);
    }
}

Test(cgroup, of_an_agent_is_never_another_ones_nor_what_is_above_it)
{
    static const char *const agents[] = {"", ".", "..", "agent-7/x", "../agent-7", "/"};
    IV_AUTO(scene_deinit) struct scene s;
    scene_init(&s);
    for (size_t i = 0; i < IV_COUNT(agents); i++) {
        struct iv_step step =
            local_step_for(&s.options, "cgroup.kill: {group: \"agent-7/{{trigger.agent}}\"}", agents[i]);

        cr_expect(step.state == IV_STEP_FAILED && step.attempt == 0, "%s: %s", agents[i],
                  iv_step_state_name(step.state));
        cr_expect(strstr(step.cause.p, "'agent' is '") != NULL, "%s", step.cause.p);
        cr_expect(process_gone(s.pid) == false, "%s", agents[i]);
    }
}

Test(cgroup, follows_no_link_and_takes_no_other_file_system)
{
    IV_AUTO(scene_deinit) struct scene s;
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    char link[128];
    scene_init(&s);
    (void)snprintf(link, sizeof link, "%s/link", dir.path);
    cr_assert(symlink(s.group, link) == 0);
    struct iv_hand_options options = {.cgroups = iv_str_of(dir.path)};

    struct iv_step step = local_step(&options, "cgroup.kill: {group: link}");

    cr_expect(step.state == IV_STEP_FAILED && !process_gone(s.pid), "%s", step.cause.p);
    cr_assert(unlink(link) == 0 && mkdir(link, 0755) == 0);
    step = local_step(&options, "cgroup.kill: {group: link}");
    cr_expect(step.state == IV_STEP_UNSUPPORTED, "%s", step.cause.p);
    cr_expect(strstr(step.cause.p, "version 2") != NULL, "%s", step.cause.p);
    cr_assert(rmdir(link) == 0);
}
