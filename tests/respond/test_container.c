/* SPDX-License-Identifier: Apache-2.0 */
/* Real containers of runc. Skips itself where runc cannot start one. */
#include "base/guard.h"
#include "respond/local.h"
#include "respond/peer.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct scene {
    char name[32]; /* runc names the control group by it, so no two tests may have the same */
    struct scratch dir;
    char root[128];
    struct peer peer;
    struct iv_hand_options options;
};

/* says: what every container says of itself in an annotation; NULL: nothing. */
static void scene_init_saying(struct scene *s, const char *says)
{
    s->dir = scratch_make();
    (void)snprintf(s->root, sizeof s->root, "%s/run", s->dir.path);
    s->peer =
        peer_start((const char *const[]){IV_SOURCE_DIR "/tests/respond/with_container", s->dir.path, NULL});
    if (strncmp(s->peer.line, "missing: ", 9) == 0) {
        peer_missing(s->peer.line + 9);
    }
    if (strcmp(s->peer.line, "ready") != 0) {
        peer_skip(s->peer.line);
    }
    s->options =
        (struct iv_hand_options){.runtime = IV_STR("/usr/sbin/runc"), .containers = iv_str_of(s->root)};
    (void)snprintf(s->name, sizeof s->name, "agent-%d", (int)getpid());
    cr_assert(says == NULL || strcmp(peer_ask(&s->peer, "call %s", says), "called") == 0);
    cr_assert_str_eq(peer_ask(&s->peer, "start %s", s->name), "running");
}

static void scene_init(struct scene *s)
{
    scene_init_saying(s, NULL);
}

static void scene_deinit(struct scene *s)
{
    peer_stop(&s->peer);
    scratch_remove(&s->dir);
}

static struct iv_step act(const struct scene *s, const char *action, const char *name)
{
    char text[128];
    (void)snprintf(text, sizeof text, "%s: {container: %s}", action, name);
    return local_step(&s->options, text);
}

static struct iv_step resume(const struct scene *s)
{
    char text[128];
    (void)snprintf(text, sizeof text, "%s, state: running", s->name);
    return act(s, "oci.pause", text);
}

Test(container, kill_ends_it_and_later_there_is_nothing_to_do)
{
    IV_AUTO(scene_deinit) struct scene s;
    scene_init(&s);

    struct iv_step step = act(&s, "oci.kill", s.name);

    cr_expect(step.state == IV_STEP_DONE, "%s %s", step.cause.p, step.answer.p);
    cr_expect_str_eq(peer_ask(&s.peer, "status %s", s.name), "stopped");
    step = act(&s, "oci.kill", s.name);
    cr_expect(step.state == IV_STEP_ABSENT && strstr(step.cause.p, "has stopped already") != NULL, "%s",
              step.cause.p);
    step = act(&s, "oci.kill", "nobody");
    cr_expect(step.state == IV_STEP_ABSENT && strstr(step.cause.p, "does not exist") != NULL, "%s",
              step.cause.p);
    cr_expect(act(&s, "oci.pause", "nobody").state == IV_STEP_ABSENT);
}

Test(container, pause_holds_it_and_it_can_still_be_killed)
{
    IV_AUTO(scene_deinit) struct scene s;
    scene_init(&s);

    struct iv_step step = act(&s, "oci.pause", s.name);

    cr_expect(step.state == IV_STEP_DONE, "%s %s", step.cause.p, step.answer.p);
    cr_expect_str_eq(peer_ask(&s.peer, "status %s", s.name), "paused");
    cr_expect(act(&s, "oci.pause", s.name).state == IV_STEP_DONE, "again");
    step = act(&s, "oci.kill", s.name);
    cr_expect(step.state == IV_STEP_DONE, "%s %s", step.cause.p, step.answer.p);
    cr_expect_str_eq(peer_ask(&s.peer, "status %s", s.name), "stopped");
}

Test(container, pause_can_be_taken_back)
{
    IV_AUTO(scene_deinit) struct scene s;
    scene_init(&s);
    cr_assert(act(&s, "oci.pause", s.name).state == IV_STEP_DONE);

    struct iv_step step = resume(&s);

    cr_expect(step.state == IV_STEP_DONE, "%s %s", step.cause.p, step.answer.p);
    cr_expect_str_eq(peer_ask(&s.peer, "status %s", s.name), "running");
    cr_expect(resume(&s).state == IV_STEP_DONE, "again");
}

Test(container, is_not_believed_what_it_says_of_itself)
{
    static const char *const words[] = {"stopped", "paused"};
    for (size_t i = 0; i < IV_COUNT(words); i++) {
        IV_AUTO(scene_deinit) struct scene s;
        scene_init_saying(&s, words[i]);

        struct iv_step step = act(&s, "oci.pause", s.name);

        cr_expect(step.state == IV_STEP_DONE, "%s: %s %s", words[i], step.cause.p, step.answer.p);
        cr_expect_str_eq(peer_ask(&s.peer, "status %s", s.name), "paused");
        step = act(&s, "oci.kill", s.name);
        cr_expect(step.state == IV_STEP_DONE, "%s: %s %s", words[i], step.cause.p, step.answer.p);
        cr_expect_str_eq(peer_ask(&s.peer, "status %s", s.name), "stopped");
    }
}

/* A runtime that answers every command with the same. */
static struct iv_step kill_by(const struct scratch *dir, const char *state)
{
    char script[1024];
    char path[256];
    (void)snprintf(script, sizeof script, "#!/bin/sh\ncat <<'END'\n%s\nEND\n", state);
    (void)snprintf(path, sizeof path, "%s/runtime", dir->path);
    scratch_write(dir, "runtime", iv_str_of(script));
    cr_assert(chmod(path, 0755) == 0);
    struct iv_hand_options options = {.runtime = iv_str_of(path)};
    return local_step(&options, "oci.kill: {container: a}");
}

Test(container, state_is_read_as_json)
{
    static const char *const stopped[] = {
        "{\"status\":\"stopped\"}",
        "time=x level=warning msg=y\n{\"annotations\": {\"status\": \"running\"}, \"status\"  :  "
        "\"stopped\"}",
        "{\"st\\u0061tus\": \"stopped\", \"id\": \"a\"}",
    };
    static const char *const unknown[] = {
        "",
        "stopped",
        "{\"annotations\": {\"status\": \"stopped\"}}",
        "{\"status\": {\"status\": \"stopped\"}}",
        "{\"status\": \"stopped\"",
        "{\"status\": \"stopped\", \"status\": \"running\"}",
        "{\"status\": \"\\\"status\\\": \\\"stopped\\\"\"}",
    };
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    for (size_t i = 0; i < IV_COUNT(stopped); i++) {
        struct iv_step step = kill_by(&dir, stopped[i]);
        cr_expect(step.state == IV_STEP_ABSENT, "%s: %s", stopped[i], step.cause.p);
    }
    for (size_t i = 0; i < IV_COUNT(unknown); i++) {
        struct iv_step step = kill_by(&dir, unknown[i]);
        cr_expect(step.state == IV_STEP_FAILED && strstr(step.cause.p, "does not tell the state") != NULL,
                  "%s: %s", unknown[i], step.cause.p);
    }
}

Test(container, takes_no_name_that_could_be_something_else)
{
    static const char *const names[] = {"--all", "-a", "a/b", "..", "", "a b", "a;b"};
    struct iv_hand_options options = {.runtime = IV_STR("/usr/sbin/runc")};
    char cause[512];
    for (size_t i = 0; i < IV_COUNT(names); i++) {
        enum iv_hand_result result = local_order(&options, IV_HAND_OCI_KILL, names[i], cause);
        struct iv_step step =
            local_step_for(&options, "oci.kill: {container: \"{{trigger.agent}}\"}", names[i]);

        cr_expect(result == IV_HAND_FAILED && strstr(cause, "no container's name") != NULL, "%s: %s",
                  names[i], cause);
        cr_expect(step.state == IV_STEP_FAILED && strstr(step.cause.p, "'container' must be a") != NULL,
                  "%s: %s", names[i], step.cause.p);
    }
}
