/* SPDX-License-Identifier: Apache-2.0 */
/* Events that come later than their stream's lateness allows are counted, and evaluated as far as can be:
 *   - nothing is said that does not hold of what has arrived, late events included;
 *   - what the events in time denote alone is said, unless a late one speaks against it;
 *   - what was said is not withdrawn: a violation that has ceased to be one is contradicted, once, when the
 *     late event comes; an inconclusive verdict stays what it was;
 *   - where nothing has been forgotten (a long dedup) that is exact, record by record.
 * Source: contract "Rules", what a rule means: late events. */
#include "base/alloc.h"
#include "base/guard.h"
#include "compare.h"
#include "trial.h"

#include <stdio.h>

/* What was met on the way. */
static uint64_t late_events;
static uint64_t contradicted;

/* The events that have arrived, those in time among them, and what the reference says of either. */
struct moment {
    struct trial *trial;
    const struct engine_run *run;
    struct iv_buf *why;
    size_t arrived;
    const struct iv_event **in_time;
    size_t in_time_count;
    struct reference_finding *of_all;
    size_t of_all_count;
    const struct reference_finding *of_in_time;
    size_t of_in_time_count;
    bool held;
};

static bool is_late(const struct trial *trial, const struct engine_run *run, size_t index)
{
    const struct iv_event *e = run->events[index];
    iv_ns greatest = IV_NS_MIN;
    for (size_t i = 0; i < index; i++) {
        const struct iv_event *other = run->events[i];
        if (other->origin.stream == e->origin.stream && other->origin.partition == e->origin.partition &&
            reference_is_event(other) && other->time > greatest) {
            greatest = other->time;
        }
    }
    return e->time < iv_ns_add(greatest, -trial->baseline->streams[e->origin.stream].lateness);
}

static bool is_repeated(const struct engine_run *run, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (run->events[i]->content.lo == run->events[index]->content.lo &&
            run->events[i]->content.hi == run->events[index]->content.hi) {
            return true;
        }
    }
    return false;
}

static bool is_of(const struct emission *e, const struct iv_rule *rule, const struct iv_event *trigger)
{
    return e->rule == rule && iv_str_eq(e->source, iv_event_attr(trigger, IV_ATTR_SOURCE)) &&
           iv_str_eq(e->id, iv_event_attr(trigger, IV_ATTR_ID));
}

static const struct reference_finding *find(const struct reference_finding *all, size_t count,
                                            const struct emission *e)
{
    for (size_t i = 0; i < count; i++) {
        if (is_of(e, all[i].rule, all[i].trigger)) {
            return &all[i];
        }
    }
    return NULL;
}

static void object(struct moment *m, const struct emission *e, const char *what)
{
    iv_buf_printf(m->why, "  " IV_STR_FMT " " IV_STR_FMT "/" IV_STR_FMT " %s, after %zu of %zu records\n",
                  IV_STR_ARG(e->rule->id), IV_STR_ARG(e->source), IV_STR_ARG(e->id), what, m->arrived,
                  m->run->event_count);
    m->held = false;
}

/* The last verdict on the trigger of this one before it; NULL if there is none. */
static const struct emission *said_before(const struct engine_run *run, const struct emission *e)
{
    for (const struct emission *b = e; b > run->emissions;) {
        b--;
        if (memcmp(b->uid, e->uid, sizeof e->uid) == 0) {
            return b;
        }
    }
    return NULL;
}

/* Whether the trigger came later than the engine remembers, so that what it says may be that it cannot
 * tell, or, where its deadline has not passed, not yet. */
static bool may_be_blind(const struct moment *m, const struct emission *e)
{
    for (size_t i = 0; i < m->run->event_count; i++) {
        if (is_of(e, e->rule, m->run->events[i])) {
            return m->trial->world.dedup != WORLD_DEDUP_LONG_NS && is_late(m->trial, m->run, i);
        }
    }
    return false;
}

/* One verdict, at the moment when it is said. */
static void judge_emission(struct moment *m, const struct emission *e)
{
    const struct reference_finding *f = find(m->of_all, m->of_all_count, e);
    const struct emission *before = said_before(m->run, e);
    switch (e->kind) {
    case IV_VIOLATED:
        if (f == NULL || f->verdict != REFERENCE_VIOLATED) {
            object(m, e, "is called violated and is not");
        }
        break;
    case IV_CONTRADICTED:
        if (f != NULL || before == NULL || before->kind != IV_VIOLATED) {
            object(m, e, "is contradicted by nothing");
        }
        break;
    case IV_INCONCLUSIVE:
        if ((f == NULL || f->verdict != REFERENCE_INCONCLUSIVE) && !may_be_blind(m, e)) {
            object(m, e, "is called inconclusive and is not");
        }
        break;
    case IV_OPEN:
        if ((f == NULL || f->verdict != REFERENCE_OPEN) && !may_be_blind(m, e)) {
            object(m, e, "is called open and is not");
        }
        break;
    case IV_UPDATED:
        object(m, e, "is updated, which only an equivocation can be");
        break;
    }
    if (before != NULL && e->kind != IV_CONTRADICTED) {
        object(m, e, "is said twice");
    }
}

/* The last verdict on this rule and trigger so far. */
static const struct emission *last_said(const struct moment *m, const struct reference_finding *f)
{
    const struct emission *last = NULL;
    for (size_t i = 0; i < m->run->emission_count && m->run->emissions[i].after <= m->arrived; i++) {
        if (is_of(&m->run->emissions[i], f->rule, f->trigger)) {
            last = &m->run->emissions[i];
        }
    }
    return last;
}

static bool among(const struct reference_finding *all, size_t count, const struct reference_finding *wanted)
{
    for (size_t i = 0; i < count; i++) {
        if (all[i].rule == wanted->rule && all[i].trigger == wanted->trigger &&
            all[i].verdict == wanted->verdict) {
            return true;
        }
    }
    return false;
}

static bool is_contradicted(const struct moment *m, const struct emission *e)
{
    const struct emission *end = m->run->emissions + m->run->emission_count;
    for (const struct emission *c = e + 1; c < end && c->after <= m->arrived; c++) {
        if (c->kind == IV_CONTRADICTED && memcmp(c->uid, e->uid, sizeof e->uid) == 0) {
            return true;
        }
    }
    return false;
}

/* What must have been said by now. */
static void judge_silence(struct moment *m)
{
    bool remembers = m->trial->world.dedup == WORLD_DEDUP_LONG_NS;
    for (size_t i = 0; i < m->of_all_count; i++) {
        const struct reference_finding *f = &m->of_all[i];
        if (f->verdict == REFERENCE_OPEN || (!remembers && !among(m->of_in_time, m->of_in_time_count, f))) {
            continue;
        }
        const struct emission *said = last_said(m, f);
        bool violated = said != NULL && said->kind == IV_VIOLATED && f->verdict == REFERENCE_VIOLATED;
        bool inconclusive = said != NULL && said->kind == IV_INCONCLUSIVE;
        if (!violated && !inconclusive) {
            struct emission missed = {.rule = f->rule,
                                      .source = iv_event_attr(f->trigger, IV_ATTR_SOURCE),
                                      .id = iv_event_attr(f->trigger, IV_ATTR_ID)};
            object(m, &missed, said == NULL ? "is not told of" : "was told of otherwise");
        }
    }
    for (size_t i = 0; remembers && i < m->run->emission_count && m->run->emissions[i].after <= m->arrived;
         i++) {
        const struct emission *e = &m->run->emissions[i];
        if (e->kind == IV_VIOLATED && find(m->of_all, m->of_all_count, e) == NULL && !is_contradicted(m, e)) {
            object(m, e, "was called violated, has ceased to be, and nobody says so");
        }
    }
}

static void judge_moment(struct moment *m, struct reference_horizon horizon)
{
    struct reference *reference = m->trial->reference;
    const struct reference_finding *found = NULL;
    size_t known = m->arrived < m->run->event_count ? m->arrived : m->run->event_count;
    m->of_all_count = reference_judge(reference, m->run->events, known, &horizon, &found);
    m->of_all = iv_calloc(m->of_all_count + 1, sizeof *found);
    IV_CHECK(m->of_all != NULL);
    if (m->of_all_count > 0) {
        memcpy(m->of_all, found, m->of_all_count * sizeof *found);
    }
    m->of_in_time_count = reference_judge(reference, m->in_time, m->in_time_count, &horizon, &m->of_in_time);
    for (size_t i = 0; i < m->run->emission_count; i++) {
        if (m->run->emissions[i].after == m->arrived) {
            judge_emission(m, &m->run->emissions[i]);
        }
    }
    judge_silence(m);
    iv_free(m->of_all);
}

static bool judge(struct moment *m)
{
    const struct engine_run *run = m->run;
    uint64_t late = 0;
    for (size_t i = 0; i < run->event_count && m->held; i++) {
        bool in_time = !is_late(m->trial, run, i);
        late += !in_time && reference_is_event(run->events[i]) && !is_repeated(run, i);
        if (in_time) {
            m->in_time[m->in_time_count++] = run->events[i];
        }
        m->arrived = i + 1;
        judge_moment(m, horizon_after(m->trial->baseline, &m->trial->world, run, m->arrived));
    }
    if (m->held) {
        m->arrived = run->event_count + 1;
        judge_moment(m, reference_end(run->events, run->event_count));
    }
    if (m->held && run->stats.late != late) {
        iv_buf_printf(m->why, "  %llu events are late, %llu were counted\n", (unsigned long long)late,
                      (unsigned long long)run->stats.late);
        m->held = false;
    }
    late_events += late;
    for (size_t i = 0; i < run->emission_count; i++) {
        contradicted += run->emissions[i].kind == IV_CONTRADICTED;
    }
    return m->held;
}

static bool holds(struct iv_buf *why, struct trial *trial, const struct arrivals *arrivals, void *ctx)
{
    struct engine_run run;
    (void)ctx;
    const char *failure = engine_run(&run, trial->baseline, &trial->world, arrivals, NULL, NULL);
    struct moment m = {.trial = trial, .run = &run, .why = why, .held = failure == NULL};
    m.in_time = iv_calloc(run.event_count + 1, sizeof *m.in_time);
    IV_CHECK(m.in_time != NULL);
    iv_buf_text(why, failure == NULL ? "" : failure);
    bool held = m.held && judge(&m);
    iv_free(m.in_time);
    engine_run_deinit(&run);
    return held;
}

/* Late contents extend an equivocation, and may name another trigger. Which rules else a trigger of two
 * contents violates is not asked here: findings would have to be told apart by more than its name. */
static bool equivocates(struct iv_buf *why, struct trial *trial, const struct arrivals *arrivals, void *ctx)
{
    struct engine_run run;
    (void)ctx;
    const char *failure = engine_run(&run, trial->baseline, &trial->world, arrivals, NULL, NULL);
    iv_buf_text(why, failure == NULL ? "" : failure);
    bool held = failure == NULL && compare_moments(why, trial->reference, trial->baseline, &trial->world,
                                                   &run, trial->baseline->equivocation);
    engine_run_deinit(&run);
    return held;
}

/* What counts as a log's entry stands fast when the watermark has passed it, so a tree is none of this law's.
 */
static bool law(struct trial *trial)
{
    if (trial->world.trees) {
        return true;
    }
    struct arrivals all = generate_arrivals(&trial->dice, &trial->world, &trial->arena);
    struct arrivals in_time = generate_distinct(&trial->world, &all, &trial->arena);
    struct arrivals late = generate_lateness(&trial->dice, &in_time, &trial->arena);
    struct arrivals all_late = generate_lateness(&trial->dice, &all, &trial->arena);
    return trial_try(trial, &late, holds, NULL) &&
           (trial->world.dedup != WORLD_DEDUP_LONG_NS || trial_try(trial, &all_late, equivocates, NULL));
}

int main(void)
{
    int status = trials_run(law);
    printf("%llu late events, %llu violations contradicted\n", (unsigned long long)late_events,
           (unsigned long long)contradicted);
    return status;
}
