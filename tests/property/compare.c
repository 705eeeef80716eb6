/* SPDX-License-Identifier: Apache-2.0 */
#include "compare.h"

#include "base/alloc.h"
#include "base/encode.h"
#include "base/guard.h"

#include <stdlib.h>

/* Verdicts as lines of text, to be sorted and laid side by side. */
struct lines {
    char **items;
    size_t count;
};

static void add_line(struct lines *lines, const char *verdict, const struct iv_rule *rule,
                     struct iv_str source, struct iv_str id, iv_ns time, bool waived)
{
    struct iv_buf buf;
    iv_buf_init(&buf, 4096);
    iv_buf_printf(&buf, "%-12s " IV_STR_FMT " " IV_STR_FMT "/" IV_STR_FMT " ", verdict, IV_STR_ARG(rule->id),
                  IV_STR_ARG(source), IV_STR_ARG(id));
    iv_ns_format(&buf, time);
    iv_buf_text(&buf, waived ? " waived" : "");
    IV_CHECK(!iv_buf_failed(&buf));
    lines->items = iv_realloc(lines->items, (lines->count + 1) * sizeof *lines->items);
    IV_CHECK(lines->items != NULL);
    lines->items[lines->count++] = iv_strndup(buf.p, buf.n);
    iv_buf_deinit(&buf);
}

static void lines_deinit(struct lines *lines)
{
    for (size_t i = 0; i < lines->count; i++) {
        iv_free(lines->items[i]);
    }
    iv_free(lines->items);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool same_lines(struct iv_buf *why, struct lines *wanted, struct lines *got)
{
    bool same = true;
    if (wanted->count > 0) {
        qsort(wanted->items, wanted->count, sizeof *wanted->items, by_text);
    }
    if (got->count > 0) {
        qsort(got->items, got->count, sizeof *got->items, by_text);
    }
    for (size_t i = 0, j = 0; i < wanted->count || j < got->count;) {
        int order = i == wanted->count ? 1 : j == got->count ? -1 : strcmp(wanted->items[i], got->items[j]);
        if (order < 0) {
            iv_buf_printf(why, "  the engine lacks   %s\n", wanted->items[i]);
        } else if (order > 0) {
            iv_buf_printf(why, "  the engine invents %s\n", got->items[j]);
        }
        same = same && order == 0;
        i += order <= 0;
        j += order >= 0;
    }
    return same;
}

static const char *const reference_words[] = {
    [REFERENCE_VIOLATED] = "violated", [REFERENCE_INCONCLUSIVE] = "inconclusive", [REFERENCE_OPEN] = "open"};
static const char *const engine_words[] = {[IV_VIOLATED] = "violated",
                                           [IV_UPDATED] = "violated",
                                           [IV_CONTRADICTED] = "contradicted",
                                           [IV_INCONCLUSIVE] = "inconclusive",
                                           [IV_OPEN] = "open"};

/* An update stands for the verdict that it updates. */
static bool is_superseded(const struct engine_run *run, size_t index, size_t arrived)
{
    const struct emission *e = &run->emissions[index];
    for (size_t i = index + 1; i < run->emission_count && run->emissions[i].after <= arrived; i++) {
        if (run->emissions[i].kind == IV_UPDATED &&
            memcmp(run->emissions[i].uid, e->uid, sizeof e->uid) == 0) {
            return true;
        }
    }
    return false;
}

/* only NULL: of all rules. */
static struct lines lines_of_engine(const struct engine_run *run, size_t arrived, const struct iv_rule *only)
{
    struct lines lines = {NULL, 0};
    for (size_t i = 0; i < run->emission_count && run->emissions[i].after <= arrived; i++) {
        const struct emission *e = &run->emissions[i];
        if ((only == NULL || e->rule == only) && !is_superseded(run, i, arrived)) {
            add_line(&lines, engine_words[e->kind], e->rule, e->source, e->id, e->time, e->waived);
        }
    }
    return lines;
}

/* Mid-stream, what is open is not reported yet. */
static struct lines lines_of_reference(struct reference *reference, const struct engine_run *run,
                                       size_t arrived, const struct reference_horizon *horizon,
                                       const struct iv_rule *only)
{
    struct lines lines = {NULL, 0};
    const struct reference_finding *findings = NULL;
    size_t known = arrived < run->event_count ? arrived : run->event_count;
    size_t count = reference_judge(reference, run->events, known, horizon, &findings);
    for (size_t i = 0; i < count; i++) {
        const struct reference_finding *f = &findings[i];
        bool told = f->verdict != REFERENCE_OPEN || arrived > run->event_count;
        if (told && (only == NULL || f->rule == only)) {
            add_line(&lines, reference_words[f->verdict], f->rule, iv_event_attr(f->trigger, IV_ATTR_SOURCE),
                     iv_event_attr(f->trigger, IV_ATTR_ID), f->trigger->time, f->waived);
        }
    }
    return lines;
}

static bool agree(struct iv_buf *why, struct reference *reference, const struct engine_run *run,
                  size_t arrived, const struct reference_horizon *horizon, const struct iv_rule *only)
{
    struct lines wanted = lines_of_reference(reference, run, arrived, horizon, only);
    struct lines got = lines_of_engine(run, arrived, only);
    bool same = same_lines(why, &wanted, &got);
    lines_deinit(&wanted);
    lines_deinit(&got);
    return same;
}

bool compare_verdicts(struct iv_buf *why, struct reference *reference, const struct engine_run *run)
{
    struct reference_horizon end = reference_end(run->events, run->event_count);
    if (!agree(why, reference, run, run->event_count + 1, &end, NULL)) {
        iv_buf_text(why, "at the end of input\n");
        return false;
    }
    return true;
}

bool compare_settled(struct iv_buf *why, struct reference *reference, const struct engine_run *run,
                     const struct reference_horizon *horizon)
{
    return agree(why, reference, run, run->event_count, horizon, NULL);
}

/* Per stream the least over its partitions of the greatest time seen less lateness. A record that repeats an
 * event changes nothing, so it moves no watermark either. */
struct reference_horizon horizon_after(const struct iv_baseline *baseline, const struct world *world,
                                       const struct engine_run *run, size_t arrived)
{
    struct reference_horizon horizon = reference_end(run->events, arrived);
    for (int s = 0; s < IV_STREAMS; s++) {
        if (world->partitions[s] == 0) {
            continue; /* at the end of input from the start */
        }
        horizon.watermark[s] = IV_NS_MAX;
        horizon.at_end[s] = false;
        for (int32_t p = 0; p < world->partitions[s]; p++) {
            iv_ns greatest = IV_NS_MIN;
            for (size_t i = 0; i < arrived; i++) {
                const struct iv_event *e = run->events[i];
                bool is_of_partition = e->origin.stream == (enum iv_stream)s && e->origin.partition == p;
                greatest =
                    is_of_partition && reference_is_event(e) && e->time > greatest ? e->time : greatest;
            }
            iv_ns watermark = iv_ns_add(greatest, -baseline->streams[s].lateness);
            horizon.watermark[s] = watermark < horizon.watermark[s] ? watermark : horizon.watermark[s];
        }
    }
    return horizon;
}

bool compare_moments(struct iv_buf *why, struct reference *reference, const struct iv_baseline *baseline,
                     const struct world *world, const struct engine_run *run, const struct iv_rule *only)
{
    for (size_t arrived = 1; arrived <= run->event_count; arrived++) {
        struct reference_horizon horizon = horizon_after(baseline, world, run, arrived);
        if (!agree(why, reference, run, arrived, &horizon, only)) {
            iv_buf_printf(why, "when %zu of %zu records had arrived\n", arrived, run->event_count);
            return false;
        }
    }
    return true;
}

/* Whether the run has the same verdict, under this uid, of this time, waived or not alike. */
static bool says(const struct engine_run *run, const struct emission *wanted, size_t except)
{
    for (size_t i = 0; i < run->emission_count; i++) {
        const struct emission *e = &run->emissions[i];
        if (i != except && !is_superseded(run, i, SIZE_MAX) &&
            memcmp(e->uid, wanted->uid, sizeof e->uid) == 0 && e->waived == wanted->waived &&
            e->time == wanted->time) {
            return true;
        }
    }
    return false;
}

static bool uids_of(struct iv_buf *why, const struct engine_run *a, const struct engine_run *b)
{
    for (size_t i = 0; i < a->emission_count; i++) {
        const struct emission *e = &a->emissions[i];
        if (is_superseded(a, i, SIZE_MAX)) {
            continue;
        }
        bool twice = says(a, e, i);
        if (twice || !says(b, e, SIZE_MAX)) {
            iv_buf_printf(why, "  %s " IV_STR_FMT " " IV_STR_FMT "/" IV_STR_FMT ": %s\n",
                          engine_words[e->kind], IV_STR_ARG(e->rule->id), IV_STR_ARG(e->source),
                          IV_STR_ARG(e->id),
                          twice ? "stands twice" : "is not said, or otherwise, in another order of arrival");
            return false;
        }
    }
    return true;
}

bool compare_runs(struct iv_buf *why, const struct engine_run *a, const struct engine_run *b)
{
    return uids_of(why, a, b) && uids_of(why, b, a);
}

static bool says_then(const struct engine_run *run, const struct emission *wanted)
{
    for (size_t i = 0; i < run->emission_count; i++) {
        const struct emission *e = &run->emissions[i];
        if (e->after == wanted->after && e->kind == wanted->kind &&
            memcmp(e->uid, wanted->uid, sizeof e->uid) == 0) {
            return true;
        }
    }
    return false;
}

bool compare_when(struct iv_buf *why, const struct engine_run *a, const struct engine_run *b)
{
    bool same = a->emission_count == b->emission_count;
    for (size_t i = 0; i < a->emission_count; i++) {
        const struct emission *e = &a->emissions[i];
        if (!says_then(b, e)) {
            iv_buf_printf(why,
                          "  %s " IV_STR_FMT " " IV_STR_FMT "/" IV_STR_FMT " is not said after record %zu\n",
                          engine_words[e->kind], IV_STR_ARG(e->rule->id), IV_STR_ARG(e->source),
                          IV_STR_ARG(e->id), e->after);
            same = false;
        }
    }
    return same;
}

static bool has_program(const struct iv_terms *terms)
{
    for (uint8_t i = 0; i < terms->count; i++) {
        if (terms->terms[i].prog != NULL) {
            return true;
        }
    }
    return false;
}

/* Rules that are passed over do not look at their keys, so keys that can fail then fail less often. */
static bool keys_can_fail(const struct iv_baseline *baseline)
{
    for (size_t i = 0; i < baseline->rule_count; i++) {
        const struct iv_rule *r = baseline->rules[i];
        if (has_program(&r->by) || has_program(&r->with.key_on) || has_program(&r->with.key_with)) {
            return true;
        }
    }
    return false;
}

bool compare_figures(struct iv_buf *why, const struct iv_baseline *baseline, const struct engine_run *gated,
                     const struct engine_run *all)
{
    bool same = true;
    bool fewer = keys_can_fail(baseline);
    for (size_t i = 0; i < baseline->rule_count; i++) {
        const struct iv_rule_stats *a = &gated->rules[i];
        const struct iv_rule_stats *b = &all->rules[i];
        bool failures = a->failures == b->failures || (fewer && a->failures < b->failures);
        if (a->triggers != b->triggers || !failures) {
            iv_buf_printf(why,
                          "  " IV_STR_FMT ": %llu triggers and %llu failures, without gates %llu and %llu\n",
                          IV_STR_ARG(baseline->rules[i]->id), (unsigned long long)a->triggers,
                          (unsigned long long)a->failures, (unsigned long long)b->triggers,
                          (unsigned long long)b->failures);
            same = false;
        }
    }
    return same;
}
