/* SPDX-License-Identifier: Apache-2.0 */
/* What one playbook could not do, another one does. */
#include "base/guard.h"
#include "support/hook_server.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#define PLAYBOOK(name, keys, path)                                                                           \
    "apiVersion: invigil/v1\nkind: Playbook\nmetadata: {name: " name ", title: t}\n"                         \
    "target: \"{{trigger.token_id}}\"\n" keys "steps:\n- name: one\n  http: {endpoint: hook, path: \"" path  \
    "\"}\n"

/* Three playbooks, of which the sample's rule names the first. */
struct set {
    struct stage stage;
    struct iv_playbook_source sources[3];
};

static void load(struct set *set, const char *const texts[3])
{
    static const char *const names[] = {"revoke", "block", "kill"};
    struct stage *s = &set->stage;
    stage_init(s, "- name: one\n  http: {endpoint: hook, path: /x}\n");
    for (size_t i = 0; i < 3; i++) {
        set->sources[i] = (struct iv_playbook_source){
            .name = iv_str_of(names[i]), .file = iv_str_of(names[i]), .text = iv_str_of(texts[i])};
    }
    s->sample.baseline.playbooks = set->sources;
    s->sample.baseline.playbook_count = 3;
    s->governs = &s->sample.baseline;
    iv_playbooks_unref(TAKE(s->playbooks));
    struct iv_err err = {.text = ""};
    struct iv_rc_s rc = iv_playbooks_load(&s->playbooks, &s->sample.baseline, s->problems, &err);
    cr_assert(iv_ok(rc) || rc.code == IV_E_REFUSED, "%s", err.text);
}

/* A finding that calls for the first, and somebody who answers calls. */
static void begin(struct set *set, const char *const texts[3], const char *url)
{
    load(set, texts);
    stage_find(&set->stage);
    stage_respond(&set->stage, url);
}

/* One turn for each of the playbooks, and one more in which nothing may follow. */
static void go_on(struct stage *s)
{
    for (int turns = 0; turns < 4; turns++) {
        stage_run(s, true);
    }
}

static void set_deinit(struct set *set)
{
    stage_deinit(&set->stage);
}

struct seen {
    char states[8]; /* in the order in which they were planned; d done, f failed, p planned, s superseded */
    char causes[8][256];
    size_t count;
};

static bool look(void *ctx, const struct iv_execution *e)
{
    static const char letters[IV_RUN_STATES] = {[IV_RUN_DONE] = 'd',
                                                [IV_RUN_FAILED] = 'f',
                                                [IV_RUN_PLANNED] = 'p',
                                                [IV_RUN_WAITING] = 'w',
                                                [IV_RUN_SUPERSEDED] = 's'};
    struct seen *seen = ctx;
    size_t at = iv_str_eq(e->playbook, IV_STR("revoke"))  ? 0
                : iv_str_eq(e->playbook, IV_STR("block")) ? 1
                                                          : 2;
    seen->states[at] = letters[e->state];
    (void)snprintf(seen->causes[at], sizeof seen->causes[at], IV_STR_FMT, IV_STR_ARG(e->cause));
    seen->count++;
    return true;
}

static struct seen see(struct stage *s)
{
    struct seen seen = {.states = "---"};
    cr_assert(iv_ok(iv_reader_executions(s->reader, &(struct iv_execution_filter){0}, look, &seen, NULL)));
    return seen;
}

static const char *const ladder[] = {PLAYBOOK("revoke", "escalate_to: block\n", "/x"),
                                     PLAYBOOK("block", "escalate_to: kill\n", "/y/{{trigger.token_id}}"),
                                     PLAYBOOK("kill", "", "/z")};

Test(escalate, follows_each_playbook_that_failed_and_once_over_restarts)
{
    static const struct hook_answer answers[] = {HOOK_STATUS("400 No"), HOOK_STATUS("400 No"), HOOK_OK};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 3);
    IV_AUTO(set_deinit) struct set set;
    load(&set, ladder);
    stage_find(&set.stage);
    for (int restarts = 0; restarts < 8; restarts++) {
        stage_respond(&set.stage, hook_url(hook));
        stage_run(&set.stage, true);
    }

    struct seen seen = see(&set.stage);
    cr_expect_str_eq(seen.states, "ffd");
    cr_expect(seen.count == 3 && hook_count(hook) == 3);
    cr_expect(strstr(seen.causes[0], "; 'block' takes over") != NULL, "%s", seen.causes[0]);
    cr_expect(strstr(seen.causes[1], "; 'kill' takes over") != NULL, "%s", seen.causes[1]);
    cr_expect_str_eq(seen.causes[2], "every call was accepted");
}

Test(escalate, does_nothing_about_what_ended_well)
{
    static const struct hook_answer answers[] = {HOOK_OK};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 1);
    IV_AUTO(set_deinit) struct set set;
    begin(&set, ladder, hook_url(hook));
    go_on(&set.stage);

    cr_expect_str_eq(see(&set.stage).states, "d--");
}

Test(escalate, of_what_could_not_be_planned_follows_as_well)
{
    static const char *const texts[] = {PLAYBOOK("revoke", "escalate_to: block\n", "/{{trigger.scope}}"),
                                        PLAYBOOK("block", "", "/y"), PLAYBOOK("kill", "", "/z")};
    static const struct hook_answer answers[] = {HOOK_OK};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 1);
    IV_AUTO(set_deinit) struct set set;
    begin(&set, texts, hook_url(hook));
    go_on(&set.stage);

    cr_expect_str_eq(see(&set.stage).states, "fd-");
}

Test(escalate, does_nothing_for_a_finding_that_was_contradicted_meanwhile)
{
    static const char *const texts[] = {PLAYBOOK("revoke", "escalate_to: block\n", "/{{trigger.scope}}"),
                                        PLAYBOOK("block", "", "/y"), PLAYBOOK("kill", "", "/z")};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(set_deinit) struct set set;
    load(&set, texts);
    stage_find(&set.stage);
    set.stage.sample.verdict.kind = IV_CONTRADICTED;
    stage_find(&set.stage);
    stage_respond(&set.stage, hook_url(hook));

    stage_run(&set.stage, true);
    stage_run(&set.stage, true);

    struct seen seen = see(&set.stage);
    cr_expect_str_eq(seen.states, "f--");
    cr_expect(strstr(seen.causes[0], "; 'block' does not take over: later evidence contradicts") != NULL,
              "%s", seen.causes[0]);
}

/* "block" is at the target already, for another finding. */
Test(escalate, says_where_the_other_one_has_joined_only)
{
    static const char *const texts[] = {PLAYBOOK("revoke", "escalate_to: block\n", "/{{trigger.scope}}"),
                                        PLAYBOOK("block", "", "/y"), PLAYBOOK("kill", "", "/z")};
    IV_AUTO(set_deinit) struct set set;
    load(&set, texts);
    struct stage *s = &set.stage;
    s->sample.rule.remediate = IV_STR("block");
    stage_find(s);
    sample_number(&s->sample, 2);
    s->sample.rule.remediate = IV_STR("revoke");
    stage_find(s);
    stage_respond(s, NULL);

    stage_run(s, true);

    struct seen seen = see(s);
    cr_expect(seen.count == 2);
    cr_expect(strstr(seen.causes[0], "; 'block' is at its target already") != NULL, "%s", seen.causes[0]);
}

Test(escalate, does_nothing_where_nobody_knows_whether_it_was_called_for)
{
    static const char *const texts[] = {
        PLAYBOOK("revoke", "", "/x"),
        PLAYBOOK("block", "on: [{when: trigger.scope == 'never'}]\nescalate_to: kill\n", "/y"),
        PLAYBOOK("kill", "", "/z")};
    static const struct hook_answer answers[] = {HOOK_OK, HOOK_OK};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 2);
    IV_AUTO(set_deinit) struct set set;
    begin(&set, texts, hook_url(hook));
    go_on(&set.stage);

    cr_expect_str_eq(see(&set.stage).states, "df-");
}

Test(escalate, does_nothing_about_what_could_not_be_taken_back)
{
    static const char *const texts[] = {
        PLAYBOOK("revoke", "escalate_to: block\n",
                 "/x\"}\n  undo: {http: {endpoint: hook, path: \"/undo\"}, after: \"1h"),
        PLAYBOOK("block", "", "/y"), PLAYBOOK("kill", "", "/z")};
    static const struct hook_answer answers[] = {HOOK_OK, HOOK_STATUS("400 No"), HOOK_OK};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 3);
    IV_AUTO(set_deinit) struct set set;
    begin(&set, texts, hook_url(hook));
    stage_run(&set.stage, false);
    set.stage.now += 3600 * IV_NS_PER_S;
    go_on(&set.stage);

    cr_expect_str_eq(see(&set.stage).states, "f--");
}

Test(escalate, supersedes_what_has_not_begun_for_the_same_target)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(set_deinit) struct set set;
    load(&set, ladder);
    struct stage *s = &set.stage;
    stage_find(s);
    cr_assert_str_eq(see(s).states, "p--");

    sample_number(&s->sample, 2);
    s->sample.rule.remediate = IV_STR("block");
    stage_find(s);
    cr_expect_str_eq(see(s).states, "pp-", "the higher one has not begun");
    stage_respond(s, hook_url(hook));
    stage_run(s, false);

    struct seen seen = see(s);
    cr_expect_str_eq(seen.states, "sd-");
    cr_expect_str_eq(seen.causes[0], "'block' does it in its place");
    cr_expect(hook_count(hook) == 1 && strstr(hook_request(hook, 0), "/y/") != NULL);
}

/* As a plan alone, for what is only observed. */
Test(escalate, supersedes_what_is_observed_by_what_is_observed)
{
    static const char *const texts[] = {PLAYBOOK("revoke", "escalate_to: block\nmode: observe\n", "/x"),
                                        PLAYBOOK("block", "mode: observe\n", "/y"),
                                        PLAYBOOK("kill", "", "/z")};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(set_deinit) struct set set;
    load(&set, texts);
    struct stage *s = &set.stage;
    stage_find(s);
    sample_number(&s->sample, 2);
    s->sample.rule.remediate = IV_STR("block");
    stage_find(s);
    stage_respond(s, hook_url(hook));
    go_on(s);

    cr_expect_str_eq(see(s).causes[0], "'block' does it in its place");
    cr_expect(hook_count(hook) == 0);
}

static void load_again(struct set *set, const char *const texts[3])
{
    struct stage *s = &set->stage;
    for (size_t i = 0; i < 3; i++) {
        set->sources[i].text = iv_str_of(texts[i]);
    }
    iv_playbooks_unref(TAKE(s->playbooks));
    struct iv_rc_s rc = iv_playbooks_load(&s->playbooks, &s->sample.baseline, s->problems, NULL);
    cr_assert(iv_ok(rc) || rc.code == IV_E_REFUSED);
}

/* The higher one was let begin, and fewer may by now. */
Test(escalate, goes_on_with_the_lesser_one_where_the_higher_one_is_called_back)
{
    static const char *const texts[] = {
        PLAYBOOK("revoke", "escalate_to: block\n", "/x"),
        PLAYBOOK("block", "guards: {executions: {minute: 9}, ramp: {start: 9}}\n", "/y"),
        PLAYBOOK("kill", "", "/z")};
    const char *const lower[] = {
        texts[0], PLAYBOOK("block", "guards: {executions: {minute: 1}, ramp: {start: 9}}\n", "/y"), texts[2]};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(set_deinit) struct set set;
    load(&set, texts);
    struct stage *s = &set.stage;
    stage_find(s);
    s->sample.rule.remediate = IV_STR("block");
    sample_number(&s->sample, 2);
    sample_set(&s->sample, "token_id", iv_val_str(IV_STR("another")));
    stage_find(s);
    s->now += IV_NS_PER_S;
    sample_number(&s->sample, 3);
    sample_set(&s->sample, "token_id", iv_val_str(IV_STR("t-1")));
    stage_find(s);
    cr_assert(stage_step(s, 0).state == IV_STEP_DUE, "it may begin");
    load_again(&set, lower);
    stage_respond(s, hook_url(hook));
    go_on(s);

    cr_expect(hook_count(hook) == 2, "%zu", hook_count(hook));
    cr_expect(see(s).states[0] == 'd', "%s", see(s).states);
    s->now += 61 * IV_NS_PER_S;
    go_on(s);
    cr_expect(hook_count(hook) == 3);
}

/* "block" is at work elsewhere, and waits for its turn, which may never come. */
Test(escalate, supersedes_nothing_before_its_turn_has_come)
{
    static const char *const texts[] = {
        PLAYBOOK("revoke", "escalate_to: block\napproval: {quorum: 1}\n", "/x"), PLAYBOOK("block", "", "/y"),
        PLAYBOOK("kill", "", "/z")};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(set_deinit) struct set set;
    load(&set, texts);
    struct stage *s = &set.stage;
    stage_find(s);
    s->sample.rule.remediate = IV_STR("block");
    sample_number(&s->sample, 2);
    sample_set(&s->sample, "token_id", iv_val_str(IV_STR("another")));
    stage_find(s);
    sample_number(&s->sample, 3);
    sample_set(&s->sample, "token_id", iv_val_str(IV_STR("t-1")));
    stage_find(s);

    cr_expect_str_eq(see(s).states, "wp-", "it stands while the other one is queued");
    stage_respond(s, hook_url(hook));
    go_on(s);

    cr_expect_str_eq(see(s).states, "sd-");
    cr_expect(hook_count(hook) == 2);
}

Test(escalate, leaves_alone_what_is_for_another_target)
{
    IV_AUTO(set_deinit) struct set set;
    load(&set, ladder);
    struct stage *s = &set.stage;
    stage_find(s);

    sample_number(&s->sample, 2);
    sample_set(&s->sample, "token_id", iv_val_str(IV_STR("another")));
    s->sample.rule.remediate = IV_STR("block");
    stage_find(s);

    cr_expect_str_eq(see(s).states, "pp-");
}

Test(escalate, in_a_circle_or_to_nothing_is_refused)
{
    static const struct {
        const char *const texts[3];
        const char *want;
    } rows[] = {
        {{PLAYBOOK("revoke", "escalate_to: revoke\n", "/x"), PLAYBOOK("block", "", "/y"),
          PLAYBOOK("kill", "", "/z")},
         "revoke:5:14: error: goes round in a circle: 'revoke' leads back to 'revoke'"},
        {{PLAYBOOK("revoke", "escalate_to: block\n", "/x"), PLAYBOOK("block", "escalate_to: kill\n", "/y"),
          PLAYBOOK("kill", "escalate_to: revoke\n", "/z")},
         "kill:5:14: error: goes round in a circle: 'revoke' leads back to 'kill'"},
        {{PLAYBOOK("revoke", "escalate_to: blok\n", "/x"), PLAYBOOK("block", "", "/y"),
          PLAYBOOK("kill", "", "/z")},
         "revoke:5:14: error: there is no playbook 'blok', did you mean 'block'?"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(set_deinit) struct set set;
        IV_AUTO(iv_buf_deinit) struct iv_buf shown;
        iv_buf_init(&shown, 1 << 16);
        load(&set, rows[i].texts);
        iv_problems_render(&shown, set.stage.problems);
        cr_expect(set.stage.playbooks == NULL && strstr(shown.p, rows[i].want) != NULL, "row %zu: %s", i,
                  shown.p);
    }
}
