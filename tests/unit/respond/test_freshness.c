/* SPDX-License-Identifier: Apache-2.0 */
/* When something may be done about what was not seen. */
#include "base/guard.h"
#include "respond/freshness.h"
#include "support/hook_server.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#define S IV_NS_PER_S
#define NOW (1000 * S)
#define AGO(seconds) (NOW - (seconds)*S)

Test(freshness, ends_with_each_of_its_parts)
{
    enum { DETECTS = true, ELSEWHERE = false };
    static const struct {
        struct iv_freshness state; /* now, heard, returned, detects, read, held, stepped */
        const char *why;           /* NULL: fresh */
    } rows[] = {
        {{NOW, AGO(5), AGO(16), DETECTS, AGO(30), AGO(10), AGO(61)}, NULL},
        {{NOW, NOW, IV_NS_MIN, ELSEWHERE, IV_NS_MIN, IV_NS_MAX, IV_NS_MIN}, NULL},
        {{NOW, AGO(5) - 1, AGO(16), DETECTS, AGO(30), AGO(10), AGO(61)}, "the broker does not answer"},
        {{NOW, IV_NS_MIN, AGO(16), DETECTS, AGO(30), AGO(10), AGO(61)}, "the broker does not answer"},
        {{NOW, AGO(5), AGO(15), DETECTS, AGO(30), AGO(10), AGO(61)}, "the broker was away"},
        {{NOW, AGO(5), AGO(16), DETECTS, AGO(30) - 1, AGO(10), AGO(61)}, "not read as far"},
        {{NOW, AGO(5), AGO(16), DETECTS, IV_NS_MIN, AGO(10), AGO(61)}, "not read as far"},
        {{NOW, AGO(5), AGO(16), DETECTS, AGO(30), AGO(10) - 1, AGO(61)}, "an open transaction"},
        {{NOW, AGO(5), AGO(16), DETECTS, AGO(30), AGO(10), AGO(60)}, "the clock was set"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        const char *why = NULL;
        bool fresh = iv_fresh(&rows[i].state, &why);
        cr_expect(fresh == (rows[i].why == NULL), "row %zu", i);
        cr_expect(fresh ? why == NULL : strstr(why, rows[i].why) != NULL, "row %zu: %s", i, why);
    }
}

static bool by_word(void *ctx, const char **why)
{
    *why = "the broker does not answer";
    return *(bool *)ctx;
}

Test(absence, waits_until_the_streams_are_fresh_and_what_was_seen_does_not)
{
    static const struct {
        enum iv_form form;
        size_t calls; /* while they are not */
    } rows[] = {{IV_REQUIRE, 0}, {IV_FORBID, 1}};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        const struct hook_answer yes[] = {HOOK_OK};
        IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(yes, 1);
        IV_AUTO(stage_deinit) struct stage s;
        bool fresh = false;
        stage_init(&s, "- name: a\n  http: {endpoint: hook, path: /a}\n");
        s.sample.rule.form = rows[i].form;
        s.fresh = by_word;
        s.fresh_ctx = &fresh;
        stage_find(&s);
        stage_respond(&s, hook_url(hook));

        stage_run(&s, false);

        cr_expect(hook_count(hook) == rows[i].calls, "row %zu", i);
        if (rows[i].calls == 0) {
            cr_expect(stage_execution(&s).state == IV_RUN_PLANNED);
            cr_expect_str_eq(stage_step(&s, 0).cause.p,
                             "it rests on what was not seen, and waits: the broker does not answer");
            fresh = true;
            s.now += 2 * S;
            stage_run(&s, false);
            cr_expect(hook_count(hook) == 1 && stage_execution(&s).state == IV_RUN_DONE);
        }
    }
}
