/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include "base/guard.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define RULE(body)                                                                                           \
    "- id: ORD-1\n  title: t\n  severity: low\n  criteria: [CC7.2]\n  on: {event: d.a, as: a}\n" body "\n"
#define LATE "streams: {telemetry: {lateness: 1h}, ledger: {lateness: 1h}}"
#define MOST 6

struct scene {
    const char *rules;
    const char *events[MOST + 1];
    const char *verdicts; /* in order of text */
};

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The lines sorted, cut behind the trigger: order of arrival may choose among witnesses only by what is
 * there. */
static void normalize(struct iv_str said, char *out, size_t size)
{
    char copy[4096];
    char *lines[64];
    size_t n = 0;
    cr_assert_lt(said.n, sizeof copy);
    memcpy(copy, said.p, said.n);
    copy[said.n] = '\0';
    for (char *line = copy; *line != '\0';) {
        char *end = strchr(line, '\n');
        *end = '\0';
        char *bracket = strchr(line, '[');
        bracket[-1] = '\0';
        lines[n++] = line;
        line = end + 1;
    }
    qsort(lines, n, sizeof *lines, by_text);
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? ", " : "", lines[i]);
    }
}

static void play_order(struct stage *s, const struct scene *scene, const size_t *order, size_t n)
{
    char said[4096];
    char name[64] = {0};
    stage_reset(s);
    for (size_t i = 0; i < n; i++) {
        stage_line(s, iv_str_of(scene->events[order[i]]));
        name[i] = (char)('0' + order[i]);
    }
    stage_line(s, IV_STR("end"));
    normalize(stage_said(s), said, sizeof said);
    cr_assert_str_eq(said, scene->verdicts, "order %s: %s, expected %s", name, said, scene->verdicts);
}

static void permute(struct stage *s, const struct scene *scene, size_t *order, size_t done, size_t n)
{
    if (done == n) {
        play_order(s, scene, order, n);
        return;
    }
    for (size_t i = done; i < n; i++) {
        size_t swap = order[done];
        order[done] = order[i];
        order[i] = swap;
        permute(s, scene, order, done + 1, n);
        order[i] = order[done];
        order[done] = swap;
    }
}

static const struct scene scenes[] = {
    {RULE("  forbid: {with: {event: d.b, as: b, by: k, before: 5s}, if: b.n < a.n}"),
     {"T0 10s d.a a1 k=x n=5", "T0 5s d.b b1 k=x n=4", "T0 9s d.b b2 k=x n=9", "T0 11s d.a a2 k=x n=5",
      "T0 12s d.b b3 k=x n=1"},
     "violated ORD-1 a1"},
    {RULE("  forbid: {with: {event: [d.b, l.a], as: b, by: k, within: 5s}, at_least: 2, distinct: v}"),
     {"T0 10s d.a a1 k=x", "T0 5s d.b b1 k=x v=p", "T0 9s d.b b2 k=x v=p", "L0 15s l.a l1 k=x v=q",
      "T0 4s d.a a2 k=x", "T0 16s d.a a3 k=x"},
     "violated ORD-1 a1"},
    {RULE("  require: {with: {event: d.b, as: b, by: k, until: a.t}, at_least: 2}"),
     {"T0 10s d.a a1 k=x t=20s", "T0 12s d.b b1 k=x", "T0 20s d.b b2 k=x", "T0 12.5s d.a a2 k=x t=20s",
      "T0 1s d.a a3 k=z t=90s", "T0 50s d.c c1"},
     "open ORD-1 a3, violated ORD-1 a2"},
    {RULE("  require: {with: {event: d.a, as: b, by: k, after: 5s}}"),
     {"T0 1s d.a a1 k=x", "T0 6s d.a a2 k=x", "T0 11.1s d.a a3 k=x", "T0 12s d.a a4 k=y", "T0 16s d.c c1"},
     "open ORD-1 a3, open ORD-1 a4, violated ORD-1 a2"},
    {RULE("  limit: {by: k, window: 5s, count: {max: 2}}"),
     {"T0 10s d.a a1 k=x", "T0 10s d.a a2 k=x", "T0 12s d.a a3 k=x", "T0 15s d.a a4 k=x",
      "T0 14s d.a a5 k=x"},
     "violated ORD-1 a3, violated ORD-1 a4, violated ORD-1 a5"},
    {RULE("  limit: {by: k, window: 10s, sum: {of: u, max: 0.6}}"),
     {"T0 1s d.a a1 k=x u=0.3", "T0 2s d.a a2 k=x u=0.2", "T0 3s d.a a3 k=x u=0.1", "T0 4s d.a a4 k=x u=0.1"},
     "violated ORD-1 a4"},
    {RULE("  limit: {by: k, window: 10s, distinct: {of: v, max: 1}}"),
     {"T0 1s d.a a1 k=x v=p", "T0 2s d.a a2 k=x v=p", "T0 11s d.a a3 k=x v=q", "T0 12s d.a a4 k=x v=q",
      "T0 30s d.a a5 k=x v=p"},
     "violated ORD-1 a3"},
    {RULE("  same: {by: k, value: v, within: 5s}"),
     {"T0 10s d.a a1 k=x v=p", "T0 10s d.a a2 k=x v=q", "T0 12s d.a a3 k=x v=p", "T0 16s d.a a4 k=x v=p",
      "T0 17s d.a a5 k=x v=p", "T0 22.1s d.a a6 k=x v=q"},
     "violated ORD-1 a2, violated ORD-1 a3"},
    {RULE("  forbid: {if: a.n > 1}"),
     {"T0 1s d.a a1 n=2 agent=p", "T0 1s d.a a1 n=1 agent=q", "T0 1s d.a a1 n=2 agent=p", "L0 2s l.a l1"},
     "violated EVT-001 a1, violated ORD-1 a1"},
};

Test(order, of_arrival_does_not_change_the_verdicts)
{
    for (size_t i = 0; i < IV_COUNT(scenes); i++) {
        IV_AUTO(stage_freep) struct stage *s = stage_new(LATE, scenes[i].rules);
        size_t order[MOST] = {0, 1, 2, 3, 4, 5};
        size_t n = 0;
        while (scenes[i].events[n] != NULL) {
            n++;
        }
        permute(s, &scenes[i], order, 0, n);
    }
}

Test(order, a_violation_is_emitted_with_the_last_of_those_that_prove_it)
{
    static const char *const events[] = {"T0 10s d.a a1 k=x", "T0 8s d.b b1 k=x", "T0 12s d.b b2 k=x"};
    static const size_t orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    IV_AUTO(stage_freep)
    struct stage *s =
        stage_new(LATE, RULE("  forbid: {with: {event: d.b, as: b, by: k, within: 5s}, at_least: 2}"));
    for (size_t i = 0; i < IV_COUNT(orders); i++) {
        stage_reset(s);
        stage_line(s, iv_str_of(events[orders[i][0]]));
        stage_line(s, iv_str_of(events[orders[i][1]]));
        cr_assert_eq(stage_said(s).n, 0, "order %zu", i);

        stage_line(s, iv_str_of(events[orders[i][2]]));

        cr_assert(strncmp(stage_said(s).p, "violated ORD-1 a1 [b1 b2]", 25) == 0, "order %zu", i);
    }
}
