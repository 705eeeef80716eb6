/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/reading.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "daemon/marks.h"
#include "stream/ends.h"
#include "stream/survey.h"

#include <string.h>

#define MARKS_KEPT 180                    /* three minutes of them */
#define BROKER_WAIT (500 * IV_NS_PER_MS)  /* who does not answer is asked again: to wait is no progress */
#define WRITTEN_BEFORE (60 * IV_NS_PER_S) /* brokers' and producers' clocks may be so far behind ours */

/* A survey, which of the two. */
struct reader {
    struct iv_reading *reading;
    struct iv_survey *survey;
    bool back;
};

struct iv_reading {
    struct iv_reading_options options;
    struct iv_ends *ends;
    struct reader ahead;
    struct reader back;
    int32_t widths[IV_STREAMS];
    iv_ns counted;
    struct iv_cursor *partitions; /* of both streams, at their ends; NULL: the broker has not told yet */
    struct iv_cursor *stable;     /* the same at what is committed */
    size_t count;
    struct iv_marks *marks;
    bool is_ahead[IV_STREAMS];
    struct iv_cursor *until; /* of the pass: where the one ahead was */
    size_t until_count;
    bool is_back;
    bool turn; /* whose it is: true: of the one that goes back */
};

static void on_gap(void *ctx, const struct iv_cursor *at)
{
    struct reader *reader = ctx;
    reader->reading->options.gap(reader->reading->options.ctx, at, reader->back);
}

void iv_reading_close(struct iv_reading *r)
{
    if (r != NULL) {
        iv_survey_close(r->ahead.survey);
        iv_survey_close(r->back.survey);
        iv_ends_close(r->ends);
        iv_marks_free(r->marks);
        iv_free(r->partitions);
        iv_free(r->stable);
        iv_free(r->until);
        iv_free(r);
    }
}

static void closep(struct iv_reading **reading)
{
    iv_reading_close(*reading);
}

static iv_rc open_reader(struct iv_reading *r, struct reader *reader, bool back, struct iv_err *err)
{
    struct iv_survey_options survey = {.properties = r->options.properties,
                                       .property_count = r->options.property_count,
                                       .gap = on_gap,
                                       .ctx = reader};
    memcpy(survey.topics, r->options.topics, sizeof survey.topics);
    *reader = (struct reader){.reading = r, .back = back};
    return iv_survey_open(&reader->survey, &survey, err);
}

iv_rc iv_reading_open(struct iv_reading **out, const struct iv_reading_options *options, struct iv_err *err)
{
    IV_AUTO(closep) struct iv_reading *r = iv_calloc(1, sizeof *r);
    ENSURE(r != NULL, err, IV_E_NOMEM, "cannot allocate what reads the streams");
    r->options = *options;
    r->counted = IV_NS_MIN;
    TRY(iv_ends_open(&r->ends, options->properties, options->property_count, options->topics, err));
    TRY(open_reader(r, &r->ahead, false, err));
    TRY(open_reader(r, &r->back, true, err));
    *out = TAKE(r);
    return IV_OK;
}

/* To read nothing asks nobody, so it does not fail. */
static void read_nothing(struct reader *reader)
{
    size_t count = 0;
    (void)iv_survey_at(reader->survey, &count);
    if (count > 0) {
        iv_survey_rest(reader->survey);
    }
}

void iv_reading_end_back(struct iv_reading *r)
{
    read_nothing(&r->back);
    r->is_back = false;
}

void iv_reading_stop(struct iv_reading *r)
{
    iv_reading_end_back(r);
    read_nothing(&r->ahead);
    memset(r->is_ahead, 0, sizeof r->is_ahead);
}

void iv_reading_clock_set(struct iv_reading *r)
{
    iv_reading_stop(r);
    if (r->marks != NULL) {
        iv_marks_forget(r->marks);
    }
}

/* Partitions that a stream had and has no more: the topic is another one. */
static void tell_lost(struct iv_reading *r, const int32_t widths[IV_STREAMS])
{
    for (int s = 0; s < IV_STREAMS; s++) {
        if (widths[s] < r->widths[s]) {
            const struct iv_cursor at = {.stream = (enum iv_stream)s, .partition = widths[s]};
            r->options.gap(r->options.ctx, &at, false);
        }
    }
}

static iv_rc take_widths(struct iv_reading *r, const int32_t widths[IV_STREAMS], struct iv_err *err)
{
    size_t count = (size_t)widths[IV_LEDGER] + (size_t)widths[IV_TELEMETRY];
    IV_AUTO(iv_marks_freep) struct iv_marks *marks = NULL;
    IV_AUTO(iv_freep) struct iv_cursor *all = iv_calloc(count, sizeof *all);
    IV_AUTO(iv_freep) struct iv_cursor *stable = iv_calloc(count, sizeof *stable);
    ENSURE(all != NULL && stable != NULL, err, IV_E_NOMEM, "cannot allocate %zu partitions", count);
    TRY(iv_marks_new(&marks, count, MARKS_KEPT, err));
    size_t n = 0;
    for (int s = 0; s < IV_STREAMS; s++) {
        for (int32_t p = 0; p < widths[s]; p++) {
            all[n++] = (struct iv_cursor){.stream = (enum iv_stream)s, .partition = p, .offset = -1};
        }
    }
    memcpy(stable, all, count * sizeof *stable);
    iv_free(r->partitions);
    iv_free(r->stable);
    iv_marks_free(r->marks);
    r->partitions = TAKE(all);
    r->stable = TAKE(stable);
    r->marks = TAKE(marks);
    r->count = count;
    memcpy(r->widths, widths, sizeof r->widths);
    return IV_OK;
}

/* Each client knows those partitions only that it was told of. */
static iv_rc ask_everywhere(struct iv_reading *r, const int32_t widths[IV_STREAMS], struct iv_err *err)
{
    int32_t others[2][IV_STREAMS] = {{0}};
    iv_turn(r->options.turns);
    TRY(iv_survey_widths(r->back.survey, others[0], BROKER_WAIT, err));
    iv_turn(r->options.turns);
    TRY(iv_ends_widths(r->ends, others[1], BROKER_WAIT, err));
    for (size_t i = 0; i < IV_COUNT(others); i++) {
        ENSURE(memcmp(others[i], widths, sizeof others[i]) == 0, err, IV_E_BROKER,
               "the brokers do not agree yet how many partitions the topics have");
    }
    return IV_OK;
}

static iv_rc recount_partitions(struct iv_reading *r, bool *anew, struct iv_err *err)
{
    int32_t widths[IV_STREAMS] = {0};
    iv_turn(r->options.turns);
    iv_ns asked = r->options.now(r->options.ctx);
    TRY(iv_survey_widths(r->ahead.survey, widths, BROKER_WAIT, err));
    if (r->marks == NULL || memcmp(widths, r->widths, sizeof widths) != 0) {
        TRY(ask_everywhere(r, widths, err));
        tell_lost(r, widths);
        TRY(take_widths(r, widths, err));
        *anew = true;
    }
    r->counted = asked;
    return IV_OK;
}

static iv_rc ask(struct iv_reading *r, bool recount, bool *anew, struct iv_err *err)
{
    if (recount || r->marks == NULL) {
        TRY(recount_partitions(r, anew, err));
    }
    iv_turn(r->options.turns);
    iv_ns asked = r->options.now(r->options.ctx);
    TRY(iv_ends_ask(r->ends, r->partitions, r->count, BROKER_WAIT, err));
    const struct iv_cursor *shrunk =
        iv_marks_add(r->marks, asked, r->options.now(r->options.ctx), r->partitions);
    if (shrunk != NULL) {
        r->options.gap(r->options.ctx, shrunk, false);
        *anew = true;
    }
    iv_turn(r->options.turns);
    return iv_survey_stable(r->ahead.survey, r->stable, r->count, BROKER_WAIT, err);
}

iv_rc iv_reading_ask(struct iv_reading *r, bool recount, bool *anew, struct iv_err *err)
{
    *anew = false;
    struct iv_rc_s rc = ask(r, recount, anew, err);
    if (*anew) {
        iv_reading_stop(r);
    }
    return rc;
}

const struct iv_cursor *iv_reading_ends(const struct iv_reading *r, size_t *count)
{
    *count = r->count;
    return r->partitions;
}

const struct iv_cursor *iv_reading_stable(const struct iv_reading *r)
{
    return r->stable;
}

const struct iv_marks *iv_reading_marks(const struct iv_reading *r)
{
    return r->marks;
}

iv_ns iv_reading_counted(const struct iv_reading *r)
{
    return r->counted;
}

bool iv_reading_is_ahead(const struct iv_reading *r, enum iv_stream stream)
{
    return r->is_ahead[stream];
}

bool iv_reading_is_back(const struct iv_reading *r)
{
    return r->is_back;
}

/* Of the partitions of the streams: where what was written since then begins. */
static iv_rc find_begin(struct iv_reading *r, struct iv_survey *survey, struct iv_cursor *from, size_t *count,
                        bool cut[IV_STREAMS], iv_ns since, const bool streams[IV_STREAMS], struct iv_err *err)
{
    const struct iv_cursor *marked = iv_marks_before(r->marks, since);
    const struct iv_cursor *newest = iv_marks_before(r->marks, IV_NS_MAX);
    memset(cut, 0, IV_STREAMS * sizeof *cut);
    *count = 0;
    ENSURE(newest != NULL, err, IV_E_BROKER, "not all partitions have told yet where they end");
    for (size_t i = 0; i < r->count; i++) {
        if (streams[r->partitions[i].stream]) {
            from[(*count)++] = marked != NULL ? marked[i] : newest[i];
        }
    }
    if (marked != NULL) {
        return IV_OK;
    }
    IV_AUTO(iv_freep) struct iv_cursor *found = iv_calloc(*count + 1, sizeof *found);
    ENSURE(found != NULL, err, IV_E_NOMEM, "cannot allocate partitions");
    memcpy(found, from, *count * sizeof *found);
    iv_turn(r->options.turns);
    TRY(iv_survey_find(survey, found, *count, cut, iv_ns_add(since, -WRITTEN_BEFORE), BROKER_WAIT, err));
    for (size_t i = 0; i < *count; i++) {
        /* What has come after the mark is read in any case, whatever its producers' clocks said. */
        from[i].offset = found[i].offset < from[i].offset ? found[i].offset : from[i].offset;
    }
    return IV_OK;
}

static const struct iv_cursor *place_of(const struct iv_cursor *at, size_t count, const struct iv_cursor *of)
{
    for (size_t i = 0; i < count; i++) {
        if (at[i].stream == of->stream && at[i].partition == of->partition) {
            return &at[i];
        }
    }
    return NULL;
}

iv_rc iv_reading_ahead(struct iv_reading *r, bool cut[IV_STREAMS], iv_ns since,
                       const bool streams[IV_STREAMS], struct iv_err *err)
{
    size_t count = 0;
    size_t reading = 0;
    const struct iv_cursor *at = iv_survey_at(r->ahead.survey, &reading);
    IV_AUTO(iv_freep) struct iv_cursor *from = iv_calloc(r->count + reading + 1, sizeof *from);
    ENSURE(from != NULL, err, IV_E_NOMEM, "cannot allocate partitions");
    TRY(find_begin(r, r->ahead.survey, from, &count, cut, since, streams, err));
    if (reading > 0) {
        memcpy(from + count, at, reading * sizeof *from);
    }
    TRY(iv_survey_read(r->ahead.survey, from, count + reading, err));
    for (int s = 0; s < IV_STREAMS; s++) {
        r->is_ahead[s] = r->is_ahead[s] || streams[s];
    }
    return IV_OK;
}

iv_rc iv_reading_back(struct iv_reading *r, bool cut[IV_STREAMS], iv_ns since, const bool streams[IV_STREAMS],
                      struct iv_err *err)
{
    size_t count = 0;
    size_t reading = 0;
    size_t kept = 0;
    const struct iv_cursor *at = iv_survey_at(r->ahead.survey, &reading);
    IV_AUTO(iv_freep) struct iv_cursor *from = iv_calloc(r->count + 1, sizeof *from);
    IV_AUTO(iv_freep) struct iv_cursor *until = iv_calloc(r->count + 1, sizeof *until);
    ENSURE(from != NULL && until != NULL, err, IV_E_NOMEM, "cannot allocate partitions");
    TRY(find_begin(r, r->back.survey, from, &count, cut, since, streams, err));
    for (size_t i = 0; i < count; i++) {
        const struct iv_cursor *place = place_of(at, reading, &from[i]);
        if (place != NULL && from[i].offset < place->offset) {
            until[kept] = *place;
            from[kept++] = from[i];
        }
    }
    TRY(iv_survey_read(r->back.survey, from, kept, err));
    iv_free(r->until);
    r->until = TAKE(until);
    r->until_count = kept;
    r->is_back = true;
    return IV_OK;
}

bool iv_reading_back_is_over(struct iv_reading *r)
{
    size_t count = 0;
    const struct iv_cursor *at = iv_survey_at(r->back.survey, &count);
    for (size_t i = 0; i < r->until_count && r->is_back; i++) {
        const struct iv_cursor *place = place_of(at, count, &r->until[i]);
        if (place == NULL || place->offset < r->until[i].offset) {
            return false;
        }
    }
    bool over = r->is_back;
    iv_reading_end_back(r);
    return over;
}

iv_rc iv_reading_poll(struct iv_reading *r, struct iv_batch *out, bool *back, bool *moved, iv_ns wait,
                      struct iv_err *err)
{
    *back = r->is_back && r->turn;
    r->turn = !r->turn;
    /* One wait for both: what is new is looked at behind each batch of the other's. */
    iv_ns length = r->is_back && !*back ? 0 : wait;
    return iv_survey_poll(*back ? r->back.survey : r->ahead.survey, out, moved, length, err);
}

iv_ns iv_reading_reached(const struct iv_reading *r, enum iv_stream stream)
{
    size_t count = 0;
    const struct iv_cursor *at = iv_survey_at(r->ahead.survey, &count);
    if (r->marks == NULL || !r->is_ahead[stream]) {
        return IV_NS_MIN;
    }
    iv_ns reached = iv_marks_reached(r->marks, at, count, stream);
    return reached < r->counted ? reached : r->counted;
}
