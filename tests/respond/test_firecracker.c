/* SPDX-License-Identifier: Apache-2.0 */
/* What Firecracker is asked for, against its published API, and the end of the process that has a socket. */
#include "base/guard.h"
#include "respond/local.h"
#include "respond/peer.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct scene {
    struct scratch dir;
    struct peer peer;
    struct iv_hand_options options;
    int pid;
};

static void scene_init(struct scene *s)
{
    char path[128];
    s->dir = scratch_make();
    (void)snprintf(path, sizeof path, "%s/agent-7.sock", s->dir.path);
    s->peer = peer_start((const char *const[]){IV_SOURCE_DIR "/tests/respond/vmm", path, NULL});
    cr_assert(strncmp(s->peer.line, "ready ", 6) == 0, "%s", s->peer.line);
    s->pid = (int)strtol(s->peer.line + 6, NULL, 10);
    s->options = (struct iv_hand_options){.sockets = iv_str_of(s->dir.path)};
}

static void scene_deinit(struct scene *s)
{
    peer_stop(&s->peer);
    scratch_remove(&s->dir);
}

Test(firecracker, pauses_writes_and_kills)
{
    IV_AUTO(scene_deinit) struct scene s;
    scene_init(&s);

    struct iv_step step = local_step(&s.options, "firecracker.pause: {socket: agent-7.sock}");
    cr_expect(step.state == IV_STEP_DONE && step.status == 204, "%s", step.cause.p);
    step = local_step(&s.options, "firecracker.snapshot: {socket: agent-7.sock, state: /e/s, memory: /e/m}");
    cr_expect(step.state == IV_STEP_DONE && step.status == 204, "%s %s", step.cause.p, step.answer.p);
    cr_expect_str_eq(peer_ask(&s.peer, "seen"),
                     "PATCH /vm {\"state\": \"Paused\"} | PUT /snapshot/create {\"snapshot_type\": \"Full\", "
                     "\"snapshot_path\": \"/e/s\", \"mem_file_path\": \"/e/m\"}");
    step = local_step(&s.options, "firecracker.pause: {socket: agent-7.sock, state: running}");
    cr_expect(step.state == IV_STEP_DONE, "%s", step.cause.p);
    cr_expect(strstr(peer_ask(&s.peer, "seen"), "| PATCH /vm {\"state\": \"Resumed\"}") != NULL, "%s",
              s.peer.line);
    step = local_step(&s.options, "firecracker.kill: {socket: agent-7.sock}");

    cr_expect(step.state == IV_STEP_DONE, "%s", step.cause.p);
    cr_expect(process_gone(s.pid));
    step = local_step(&s.options, "firecracker.kill: {socket: agent-7.sock}");
    cr_expect(step.state == IV_STEP_ABSENT && strstr(step.cause.p, "nobody listens") != NULL, "%s",
              step.cause.p);
    cr_expect(local_step(&s.options, "firecracker.pause: {socket: agent-7.sock}").state == IV_STEP_ABSENT);
    cr_expect(local_step(&s.options, "firecracker.kill: {socket: agent-8.sock}").state == IV_STEP_ABSENT);
}

Test(firecracker, fails_with_what_the_machine_answers)
{
    IV_AUTO(scene_deinit) struct scene s;
    scene_init(&s);

    struct iv_step step =
        local_step(&s.options, "firecracker.snapshot: {socket: agent-7.sock, state: /s, memory: /m}");

    cr_expect(step.state == IV_STEP_FAILED && step.status == 400, "%s", step.cause.p);
    cr_expect(strstr(step.answer.p, "the machine is not paused") != NULL, "%s", step.answer.p);
}

Test(firecracker, kills_nothing_that_is_not_below_its_folder)
{
    static const char *const names[] = {"../x/agent-7.sock", "/tmp", ".", "link", "file", "",
                                        "./agent-7.sock"};
    char cause[512];
    IV_AUTO(scene_deinit) struct scene s;
    char link[128];
    scene_init(&s);
    (void)snprintf(link, sizeof link, "%s/link", s.dir.path);
    cr_assert(symlink("agent-7.sock", link) == 0);
    scratch_write(&s.dir, "file", IV_STR("no socket"));
    for (size_t i = 0; i < IV_COUNT(names); i++) {
        enum iv_hand_result result = local_order(&s.options, IV_HAND_VMM_KILL, names[i], cause);

        cr_expect(result == IV_HAND_FAILED, "%s: %s", names[i], cause);
        cr_expect(process_gone(s.pid) == false, "%s", names[i]);
    }
}
