/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/local.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

void local_init(struct stage *s, const struct iv_hand_options *options, const char *action)
{
    char steps[2048];
    struct iv_err err = {.text = ""};
    (void)snprintf(steps, sizeof steps,
                   "- name: one\n  %s\n  timeout: 20s\n  retry: {attempts: 2, backoff: 1ms}\n", action);
    stage_init(s, steps);
    cr_assert(options == NULL || iv_ok(iv_hand_start(&s->hand, options, NULL, NULL, &err)), "%s", err.text);
    stage_find(s);
    stage_respond(s, NULL);
}

void local_deinit(struct stage *s)
{
    struct iv_hand *hand = s->hand;
    stage_deinit(s);
    iv_hand_stop(hand);
}

struct iv_step local_step(const struct iv_hand_options *options, const char *action)
{
    struct stage s;
    local_init(&s, options, action);
    stage_run(&s, true);
    struct iv_step step = stage_step(&s, 0);
    local_deinit(&s);
    return step;
}

bool process_gone(int pid)
{
    char path[64];
    char line[512];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return true;
    }
    const char *read = fgets(line, sizeof line, file);
    (void)fclose(file);
    const char *state = read == NULL ? NULL : strrchr(line, ')');
    return state == NULL || state[2] == 'Z';
}
