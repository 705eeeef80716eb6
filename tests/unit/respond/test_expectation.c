/* SPDX-License-Identifier: Apache-2.0 */
/* What a playbook may say that the streams must show. */
#include "base/guard.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <string.h>

#define HEAD STAGE_PLAYBOOK "steps:\n"
#define STEP "- name: one\n  http: {endpoint: hook, path: /x}\n"
#define EXPECT(text) HEAD STEP "  expect: " text "\n"
#define USED "{event: token.used, as: use, where: 'use.token_id == target'}"
#define HTTP(name, more) "- name: " name "\n  http: {endpoint: hook, path: /" name "}\n" more

Test(expectation, is_refused_with_the_place_and_what_would_be_right)
{
    static const struct {
        const char *playbook;
        const char *want;
    } rows[] = {
        {EXPECT("{within: 5s}"), "8:11: error: needs either 'seen' or 'unseen'"},
        {EXPECT("{seen: " USED ", unseen: " USED ", within: 5s}"), "needs either 'seen' or 'unseen'"},
        {EXPECT("{seen: " USED "}"), "within"},
        {EXPECT("{seen: {event: token.used}, within: 5s}"), "where"},
        {EXPECT("{seen: {event: token.usd, where: 'true'}, within: 5s}"),
         "8:26: error: there is no event type 'token.usd', did you mean 'token.used'?"},
        {EXPECT("{seen: {event: token.used, where: 'e.token == target'}, within: 5s}"),
         "8:48: error: undeclared field 'token' of token.used"},
        {EXPECT("{seen: {event: token.used, where: 'e.token_id'}, within: 5s}"), "8:48: error: "},
        {EXPECT("{seen: {event: token.used, where: 'e.token_id == trigger.toke_id'}, within: 5s}"),
         "toke_id"},
        {EXPECT("{seen: {event: token.used, as: step, where: 'true'}, within: 5s}"),
         "8:42: error: must be a word"},
        {EXPECT("{seen: " USED ", within: 10ms}"), "must be between 100ms and 1d"},
        {EXPECT("{seen: " USED ", within: 5s, after: 5s}"), "must be less than 'within'"},
        {EXPECT("{unseen: " USED ", within: 5s, earlier: 1h}"), "is for 'seen' without 'after' alone"},
        {EXPECT("{seen: " USED ", within: 5s, after: 1s, earlier: 1h}"),
         "is for 'seen' without 'after' alone"},
        {EXPECT("{seen: " USED ", within: step.done - step.called}"), "step.done"},
        {EXPECT("{seen: " USED ", within: 5s, aftr: 1s}"), "did you mean 'after'?"},
    };
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEP);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        stage_refuses(&s, rows[i].playbook, rows[i].want);
    }
}

Test(expectation, that_needs_what_the_trigger_lacks_fails_the_execution)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, HTTP("one", "  expect: {seen: {event: token.revoked, where: 'e.reason == trigger.scope'}, "
                               "within: 5s}\n"));

    stage_find(&s);

    struct iv_execution e = stage_execution(&s);
    cr_expect(e.state == IV_RUN_FAILED && strstr(e.cause.p, "'trigger.scope'") != NULL, "%s", e.cause.p);
}
