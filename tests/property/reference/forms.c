/* SPDX-License-Identifier: Apache-2.0 */
#include "reference_internal.h"

#include "base/alloc.h"
#include "base/guard.h"

struct span {
    iv_ns from;
    iv_ns to;
};

/* The partner's window, both ends included; empty where it ends before it starts. */
static bool window_of(struct reference *r, const struct iv_window *window, const struct iv_event *t,
                      struct span *out)
{
    struct pair alone = {t, NULL};
    iv_ns length = 0;
    *out = (struct span){t->time, t->time};
    if (window->kind == IV_WINDOW_UNTIL) {
        return reference_instant(r, alone, window->until, &out->to);
    }
    if (!reference_duration(r, alone, &window->length, &length)) {
        return false;
    }
    if (window->kind != IV_WINDOW_AFTER) {
        out->from = iv_ns_add(t->time, -length);
    }
    if (window->kind != IV_WINDOW_BEFORE) {
        out->to = iv_ns_add(t->time, length);
    }
    return true;
}

/* Whether p is a partner of t that counts: selected, in the window, of the same
 * key, meeting the condition. */
static bool is_partner(struct reference *r, const struct iv_rule *rule, struct pair pair, struct span window)
{
    struct values key_on;
    struct values key_with;
    const struct iv_event *p = pair.partner;
    return p != pair.trigger && iv_selector_has(&rule->with.select, p->type) && window.from <= p->time &&
           p->time <= window.to && reference_values(r, pair, &rule->with.key_on, false, &key_on) &&
           reference_values(r, pair, &rule->with.key_with, true, &key_with) &&
           reference_values_equal(&key_on, &key_with) && reference_holds(r, pair, rule->condition);
}

struct tally {
    struct values *seen; /* different values */
    size_t count;
};

static void add_if_new(struct tally *tally, const struct values *value)
{
    for (size_t i = 0; i < tally->count; i++) {
        if (reference_values_equal(&tally->seen[i], value)) {
            return;
        }
    }
    tally->seen[tally->count++] = *value;
}

/* Of the partners that count, how many; or how many different values of "distinct" among them. */
static size_t count_partners(struct reference *r, const struct iv_rule *rule, const struct iv_event *t,
                             struct span window)
{
    size_t count = 0;
    struct tally tally = {iv_calloc(r->event_count + 1, sizeof(struct values)), 0};
    IV_CHECK(tally.seen != NULL);
    for (size_t i = 0; i < r->event_count; i++) {
        struct pair pair = {t, r->events[i]};
        struct values value;
        if (!is_partner(r, rule, pair, window) || !reference_values(r, pair, &rule->distinct, true, &value)) {
            continue;
        }
        count++;
        add_if_new(&tally, &value);
    }
    count = rule->distinct.count > 0 ? tally.count : count;
    iv_free(tally.seen);
    return count;
}

/* What a form with a partner needs of its trigger; false: the trigger takes no part. */
static bool prepare(struct reference *r, const struct iv_rule *rule, const struct iv_event *t,
                    struct span *window, long double *at_least)
{
    struct values key;
    struct pair alone = {t, NULL};
    return reference_values(r, alone, &rule->with.key_on, false, &key) &&
           window_of(r, &rule->with.window, t, window) &&
           reference_number(r, alone, &rule->at_least, at_least);
}

void reference_judge_forbid(struct reference *r, const struct iv_rule *rule, const struct iv_event *t)
{
    struct span window;
    long double at_least = 0;
    bool violated = false;
    if (!rule->has_partner) {
        violated = reference_holds(r, (struct pair){t, NULL}, rule->condition);
    } else if (prepare(r, rule, t, &window, &at_least)) {
        violated = (long double)count_partners(r, rule, t, window) >= at_least;
    }
    if (violated) {
        reference_found(r, rule, t, REFERENCE_VIOLATED);
    }
}

/* No partner can come any more: every stream that can carry one has been read past the window's end. */
static bool passed(const struct reference *r, const struct iv_rule *rule, iv_ns end)
{
    for (size_t s = 0; s < IV_STREAMS; s++) {
        iv_ns watermark = r->horizon.watermark[s];
        bool is_past = r->horizon.at_end[s] ? watermark >= end : watermark > end;
        if (rule->with.select.streams[s] && !is_past) {
            return false;
        }
    }
    return true;
}

/* Whether a stream that can carry a partner was joined after this moment. */
static bool unseen(const struct reference *r, const struct iv_rule *rule, iv_ns moment)
{
    for (size_t s = 0; s < IV_STREAMS; s++) {
        iv_ns least = IV_NS_MAX;
        for (size_t i = 0; i < r->event_count; i++) {
            bool is_of_stream = r->events[i]->origin.stream == (enum iv_stream)s;
            least = is_of_stream && r->events[i]->time < least ? r->events[i]->time : least;
        }
        if (rule->with.select.streams[s] && r->baseline->streams[s].history == IV_HISTORY_PARTIAL &&
            (least == IV_NS_MAX || moment < least)) {
            return true;
        }
    }
    return false;
}

static bool is_best_effort(const struct reference *r, const struct iv_rule *rule)
{
    for (size_t s = 0; s < IV_STREAMS; s++) {
        if (rule->with.select.streams[s] && r->baseline->streams[s].grade == IV_GRADE_BEST_EFFORT) {
            return true;
        }
    }
    return false;
}

static void judge_tree(struct reference *r, const struct iv_rule *rule, const struct iv_event *t)
{
    struct span window;
    long double at_least = 0;
    if (!prepare(r, rule, t, &window, &at_least)) {
        return;
    }
    enum reference_tree found = reference_tree(r, rule, t, window.from);
    if (found == REFERENCE_TREE_KEPT || found == REFERENCE_TREE_ABSENT) {
        return;
    }
    /* The first entry of the log may have stood before all that was seen. */
    bool doubt = is_best_effort(r, rule) || unseen(r, rule, IV_NS_MIN);
    if (found == REFERENCE_TREE_FALSE) {
        reference_found(r, rule, t, REFERENCE_VIOLATED);
    } else if (!passed(r, rule, window.to)) {
        reference_found(r, rule, t, REFERENCE_OPEN);
    } else if (found == REFERENCE_TREE_FORGOTTEN || (found == REFERENCE_TREE_MISSING && doubt)) {
        reference_found(r, rule, t, REFERENCE_INCONCLUSIVE);
    } else {
        reference_found(r, rule, t, REFERENCE_VIOLATED);
    }
}

void reference_judge_require(struct reference *r, const struct iv_rule *rule, const struct iv_event *t)
{
    struct span window;
    long double at_least = 0;
    if (rule->tree.note != NULL) {
        judge_tree(r, rule, t);
        return;
    }
    if (!prepare(r, rule, t, &window, &at_least) ||
        (long double)count_partners(r, rule, t, window) >= at_least) {
        return;
    }
    /* Where a window ends before it starts, the stream's first event may come between the two. */
    bool decided = passed(r, rule, window.to) && (passed(r, rule, window.from) || window.from <= window.to ||
                                                  !unseen(r, rule, window.from));
    if (!decided) {
        reference_found(r, rule, t, REFERENCE_OPEN);
    } else if (is_best_effort(r, rule) || unseen(r, rule, window.from)) {
        reference_found(r, rule, t, REFERENCE_INCONCLUSIVE);
    } else {
        reference_found(r, rule, t, REFERENCE_VIOLATED);
    }
}

/* Whether a trigger takes part in a limit: its key, its "of" and its maximum are there;
 * no sum of negatives. */
static bool takes_part(struct reference *r, const struct iv_rule *rule, const struct iv_event *t,
                       struct values *key, struct values *of, long double *figure, long double *max)
{
    struct pair alone = {t, NULL};
    *figure = 1;
    if (!reference_values(r, alone, &rule->by, false, key) ||
        !reference_values(r, alone, &rule->of, false, of) || !reference_number(r, alone, &rule->max, max)) {
        return false;
    }
    return rule->limit != IV_LIMIT_SUM || (reference_value_number(&of->items[0], figure) && *figure >= 0);
}

void reference_judge_limit(struct reference *r, const struct iv_rule *rule, const struct iv_event *t)
{
    struct values key;
    struct values of;
    iv_ns length = 0;
    long double max = 0;
    long double total = 0;
    if (!takes_part(r, rule, t, &key, &of, &total, &max) ||
        !reference_duration(r, (struct pair){t, NULL}, &rule->span, &length)) {
        return;
    }
    struct tally tally = {iv_calloc(r->event_count + 1, sizeof(struct values)), 0};
    IV_CHECK(tally.seen != NULL);
    total = 0;
    for (size_t i = 0; i < r->event_count; i++) {
        const struct iv_event *s = r->events[i];
        struct values its_key;
        long double figure = 0;
        long double its_max = 0;
        if (iv_ns_add(t->time, -length) < s->time && s->time <= t->time && reference_is_trigger(r, rule, s) &&
            takes_part(r, rule, s, &its_key, &of, &figure, &its_max) &&
            reference_values_equal(&key, &its_key)) {
            total += figure;
            add_if_new(&tally, &of);
        }
    }
    total = rule->limit == IV_LIMIT_DISTINCT ? (long double)tally.count : total;
    iv_free(tally.seen);
    if (total > max) {
        reference_found(r, rule, t, REFERENCE_VIOLATED);
    }
}

/* In the order of time, source, id; of two that agree in all three neither is earlier. */
static bool is_earlier(const struct iv_event *a, const struct iv_event *b)
{
    int by_source = iv_str_cmp(iv_event_attr(a, IV_ATTR_SOURCE), iv_event_attr(b, IV_ATTR_SOURCE));
    int by_id = iv_str_cmp(iv_event_attr(a, IV_ATTR_ID), iv_event_attr(b, IV_ATTR_ID));
    if (a->time != b->time) {
        return a->time < b->time;
    }
    return by_source != 0 ? by_source < 0 : by_id < 0;
}

void reference_judge_same(struct reference *r, const struct iv_rule *rule, const struct iv_event *t)
{
    struct pair alone = {t, NULL};
    struct values key;
    struct values value;
    iv_ns within = 0;
    if (!reference_values(r, alone, &rule->by, false, &key) ||
        !reference_values(r, alone, &rule->of, false, &value) ||
        !reference_duration(r, alone, &rule->span, &within)) {
        return;
    }
    for (size_t i = 0; i < r->event_count; i++) {
        struct pair other = {r->events[i], NULL};
        struct values its_key;
        struct values its_value;
        if (is_earlier(other.trigger, t) && other.trigger->time >= iv_ns_add(t->time, -within) &&
            reference_is_trigger(r, rule, other.trigger) &&
            reference_values(r, other, &rule->by, false, &its_key) &&
            reference_values(r, other, &rule->of, false, &its_value) &&
            reference_values_equal(&key, &its_key) && !reference_values_equal(&value, &its_value)) {
            reference_found(r, rule, t, REFERENCE_VIOLATED);
            return;
        }
    }
}
