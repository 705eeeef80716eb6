/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/local.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

static void local_stage(struct stage *s, const struct iv_hand_options *options, const char *action,
                        const char *agent)
{
    char steps[2048];
    struct iv_err err = {.text = ""};
    (void)snprintf(steps, sizeof steps,
                   "- name: one\n  %s\n  timeout: 20s\n  retry: {attempts: 2, backoff: 1ms}\n", action);
    stage_init(s, steps);
    cr_assert(options == NULL || iv_ok(iv_hand_start(&s->hand, options, NULL, NULL, &err)), "%s", err.text);
    sample_set(&s->sample, "agent", iv_val_str(iv_str_of(agent)));
    stage_find(s);
    stage_respond(s, NULL);
}

void local_init(struct stage *s, const struct iv_hand_options *options, const char *action)
{
    local_stage(s, options, action, "agent-7");
}

void local_deinit(struct stage *s)
{
    struct iv_hand *hand = s->hand;
    stage_deinit(s);
    iv_hand_stop(hand);
}

struct iv_step local_step(const struct iv_hand_options *options, const char *action)
{
    return local_step_for(options, action, "agent-7");
}

enum iv_hand_result local_order(const struct iv_hand_options *options, enum iv_hand_verb verb,
                                const char *word, char *cause)
{
    struct iv_hand *hand = NULL;
    struct iv_hand_report report = {.id = 0};
    struct iv_buf buffer;
    bool any = false;
    const struct iv_hand_order order = {
        .verb = verb, .words = {iv_str_of(word)}, .count = 1, .timeout = 20 * IV_NS_PER_S};
    iv_buf_init(&buffer, 1u << 20);
    cr_assert(iv_ok(iv_hand_start(&hand, options, NULL, NULL, NULL)));
    cr_assert(iv_ok(iv_hand_send(hand, 1, &order, NULL)));
    struct pollfd readable = {.fd = iv_hand_fd(hand), .events = POLLIN};
    cr_assert(poll(&readable, 1, 60000) == 1);
    cr_assert(iv_ok(iv_hand_receive(hand, &report, &any, &buffer, NULL)) && any);
    (void)snprintf(cause, 512, IV_STR_FMT, IV_STR_ARG(report.cause));
    iv_buf_deinit(&buffer);
    iv_hand_stop(hand);
    return report.result;
}

struct iv_step local_step_for(const struct iv_hand_options *options, const char *action, const char *agent)
{
    struct stage s;
    local_stage(&s, options, action, agent);
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
