/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lookout.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "base/log.h"

#include <pthread.h>
#include <stdio.h>

#define LOOK_EVERY IV_NS_PER_S
#define COUNTS_EVERY (600 * IV_NS_PER_S)
#define INPUT_LOST_AFTER (10 * IV_NS_PER_S)
#define ALL_SERIES (-1)
enum { NOTES_MAX = 64, SIGHTS_MAX = 256, ABOUT_MAX = 128, CAUSE_MAX = 640 };

struct watch {
    enum iv_metric metric;
    int label;
    bool level; /* else a count */
    bool sum;
    double begins;
    double ends;
    iv_ns lasts;
    enum iv_journal_kind begun;
    enum iv_journal_kind over;
    const char *cause;
};

static const struct watch watches[] = {
#define LEVEL(metric, label, sum, begins, ends, lasts, begun, over, cause)                                   \
    {IV_METRIC_##metric, label, true, sum, begins, ends, lasts, IV_JOURNAL_##begun, IV_JOURNAL_##over, cause},
#define COUNT(metric, label, what, cause)                                                                    \
    {IV_METRIC_##metric, label, false, true, 0, 0, 0, IV_JOURNAL_##what, IV_JOURNAL_##what, cause},
#include "daemon/lookout_watches.def"
#undef LEVEL
#undef COUNT
};

/* What one watch sees of one topic, rule or sink. */
struct sight {
    const struct watch *watch;
    char about[ABOUT_MAX];
    double now;  /* as of this look */
    double told; /* a count's, at the last note */
    iv_ns since; /* of a level: monotonic, from when on it is high; of a count: the last note; 0: not */
    bool begun;
};

struct note {
    enum iv_journal_kind kind;
    iv_ns at;
    char about[ABOUT_MAX];
    char cause[CAUSE_MAX];
};

struct iv_lookout {
    struct iv_lookout_options options;
    iv_ns looked;
    struct sight sights[SIGHTS_MAX];
    size_t sight_count;
    iv_ns input_at; /* monotonic: when the input was there last; 0: not looked at yet */
    bool input_lost;
    bool held;
    pthread_mutex_t lock;
    struct note notes[NOTES_MAX]; /* under lock, as what follows */
    size_t note_count;
    uint64_t dropped;
};

iv_rc iv_lookout_new(struct iv_lookout **out, const struct iv_lookout_options *options, struct iv_err *err)
{
    struct iv_lookout *l = iv_calloc(1, sizeof *l);
    ENSURE(l != NULL, err, IV_E_NOMEM, "cannot allocate the lookout");
    IV_CHECK(pthread_mutex_init(&l->lock, NULL) == 0);
    l->options = *options;
    *out = l;
    return IV_OK;
}

static void copy_text(char *to, size_t room, struct iv_str text)
{
    size_t n = text.n < room ? text.n : room - 1;
    while (n > 0 && n < text.n && ((unsigned char)text.p[n] & 0xc0) == 0x80) {
        n--; /* not in the middle of a character */
    }
    if (n > 0) {
        memcpy(to, text.p, n);
    }
    to[n] = '\0';
}

void iv_lookout_note(struct iv_lookout *lookout, enum iv_journal_kind kind, struct iv_str about,
                     struct iv_str cause)
{
    if (lookout == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&lookout->lock);
    if (lookout->note_count == NOTES_MAX) {
        lookout->dropped++;
    } else {
        struct note *note = &lookout->notes[lookout->note_count++];
        note->kind = kind;
        note->at = iv_wall(&lookout->options.clock);
        copy_text(note->about, sizeof note->about, about);
        copy_text(note->cause, sizeof note->cause, cause);
    }
    (void)pthread_mutex_unlock(&lookout->lock);
}

void iv_lookout_input(struct iv_lookout *lookout, const struct iv_consumer_health *health)
{
    iv_ns now = iv_monotonic(&lookout->options.clock);
    bool there = health->reachable || lookout->input_at == 0;
    if (there) {
        lookout->input_at = now;
    }
    if (there && lookout->input_lost) {
        lookout->input_lost = false;
        iv_lookout_note(lookout, IV_JOURNAL_INPUT_BACK, IV_STR(""), IV_STR("the broker answers again"));
    } else if (!there && !lookout->input_lost && now - lookout->input_at >= INPUT_LOST_AFTER) {
        lookout->input_lost = true;
        iv_lookout_note(lookout, IV_JOURNAL_INPUT_LOST, IV_STR(""),
                        health->trouble[0] == '\0' ? IV_STR("the broker does not answer")
                                                   : iv_str_of(health->trouble));
    }
}

void iv_lookout_held(struct iv_lookout *lookout, bool by_file, struct iv_str path)
{
    if (by_file != lookout->held) {
        lookout->held = by_file;
        iv_lookout_note(lookout, by_file ? IV_JOURNAL_PAUSED_BY_FILE : IV_JOURNAL_RESUMED_BY_FILE, path,
                        by_file ? IV_STR("the file is there, or cannot be looked for: no action is called")
                                : IV_STR("the file is gone"));
    }
}

/* NULL: there is no room for more. */
static struct sight *find_sight(struct iv_lookout *l, const struct watch *watch, struct iv_str about)
{
    char text[ABOUT_MAX];
    copy_text(text, sizeof text, about);
    for (size_t i = 0; i < l->sight_count; i++) {
        if (l->sights[i].watch == watch && strcmp(l->sights[i].about, text) == 0) {
            return &l->sights[i];
        }
    }
    if (l->sight_count == SIGHTS_MAX) {
        return NULL;
    }
    struct sight *s = &l->sights[l->sight_count++];
    *s = (struct sight){.watch = watch};
    memcpy(s->about, text, sizeof s->about);
    return s;
}

struct look {
    struct iv_lookout *lookout;
    const struct watch *watch;
};

static void see_series(void *ctx, const struct iv_str *values, size_t count, double value)
{
    const struct look *look = ctx;
    int label = look->watch->label;
    (void)count;
    struct sight *s =
        find_sight(look->lookout, look->watch, label == ALL_SERIES ? IV_STR("") : values[label]);
    if (s != NULL) {
        s->now = look->watch->sum ? s->now + value : value > s->now ? value : s->now;
    }
}

static void tell(struct iv_lookout *l, const struct sight *s, enum iv_journal_kind kind, double figure)
{
    char cause[CAUSE_MAX];
    (void)snprintf(cause, sizeof cause, "%.0f %s", figure, s->watch->cause);
    iv_lookout_note(l, kind, iv_str_of(s->about), iv_str_of(cause));
}

static void judge_level(struct iv_lookout *l, struct sight *s, iv_ns now)
{
    const struct watch *w = s->watch;
    if (s->now < w->begins) {
        s->since = 0;
    } else if (s->since == 0) {
        s->since = now;
    }
    if (!s->begun && s->since != 0 && now - s->since >= w->lasts) {
        s->begun = true;
        tell(l, s, w->begun, s->now);
    } else if (s->begun && s->now <= w->ends) {
        s->begun = false;
        tell(l, s, w->over, s->now);
    }
}

static void judge_count(struct iv_lookout *l, struct sight *s, iv_ns now)
{
    if (s->now > s->told && (s->since == 0 || now - s->since >= COUNTS_EVERY)) {
        tell(l, s, s->watch->begun, s->now - s->told);
        s->told = s->now;
        s->since = now;
    }
}

static void look(struct iv_lookout *l, iv_ns now)
{
    for (size_t i = 0; i < l->sight_count; i++) {
        l->sights[i].now = 0;
    }
    for (size_t i = 0; i < IV_COUNT(watches); i++) {
        struct look look = {l, &watches[i]};
        iv_metrics_each(l->options.metrics, watches[i].metric, see_series, &look);
    }
    for (size_t i = 0; i < l->sight_count; i++) {
        struct sight *s = &l->sights[i];
        if (s->watch->level) {
            judge_level(l, s, now);
        } else {
            judge_count(l, s, now);
        }
    }
}

static iv_rc put_notes(struct iv_lookout *l, const struct note *notes, size_t count, struct iv_err *err)
{
    struct iv_rc_s rc = IV_OK;
    TRY(iv_store_begin(l->options.store, err));
    for (size_t i = 0; i < count && iv_ok(rc); i++) {
        struct iv_journal_row row = {
            .at = notes[i].at, .about = iv_str_of(notes[i].about), .cause = iv_str_of(notes[i].cause)};
        rc = iv_store_put_journal(l->options.store, notes[i].kind, &row, err);
    }
    if (!iv_ok(rc)) {
        iv_store_rollback(l->options.store);
        return rc;
    }
    return iv_store_commit(l->options.store, err);
}

/* What is noted meanwhile goes behind what is being written, which is the first of all. */
static void write_notes(struct iv_lookout *l)
{
    struct iv_err err = {.text = ""};
    (void)pthread_mutex_lock(&l->lock);
    size_t count = l->note_count;
    uint64_t dropped = l->dropped;
    (void)pthread_mutex_unlock(&l->lock);
    if (count == 0 || !iv_ok(put_notes(l, l->notes, count, &err))) {
        return; /* a store that fails for good is told by those who write what was found */
    }
    (void)pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < count; i++) {
        iv_series_add(
            IV_SERIES(l->options.metrics, JOURNAL, iv_str_of(iv_journal_kind_name(l->notes[i].kind))), 1);
    }
    memmove(l->notes, l->notes + count, (l->note_count - count) * sizeof l->notes[0]);
    l->note_count -= count;
    l->dropped -= dropped;
    (void)pthread_mutex_unlock(&l->lock);
    if (dropped > 0) {
        LOG_WARN("journal.dropped", KV_I64("rows", (int64_t)dropped),
                 KV_TEXT("why", "the store could not be written for a while, and no more of them are kept"));
    }
}

void iv_lookout_turn(struct iv_lookout *lookout)
{
    iv_ns now = iv_monotonic(&lookout->options.clock);
    if (lookout->looked == 0 || now - lookout->looked >= LOOK_EVERY) {
        lookout->looked = now;
        look(lookout, now);
        write_notes(lookout);
    }
}

void iv_lookout_free(struct iv_lookout *lookout)
{
    if (lookout != NULL) {
        write_notes(lookout);
        (void)pthread_mutex_destroy(&lookout->lock);
        iv_free(lookout);
    }
}
