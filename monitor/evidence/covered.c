/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/covered.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/guard.h"

#include <math.h>

static iv_rc take_cover(void *ctx, struct iv_str topic, const struct iv_cover *cover, struct iv_err *err)
{
    (void)topic;
    (void)err;
    struct iv_covered *covered = ctx;
    struct iv_covered_stream *s = &covered->streams[cover->stream];
    if (!s->known) {
        iv_spans_add(&s->spans, IV_NS_MIN, IV_NS_MAX);
    }
    s->known = true;
    s->first = cover->first < s->first ? cover->first : s->first;
    s->reach = cover->reach > s->reach ? cover->reach : s->reach;
    if (cover->state == IV_COVER_READ && cover->reach != IV_NS_MIN) {
        s->behind = cover->reach < s->behind ? cover->reach : s->behind;
    }
    for (size_t i = 0; i < cover->loss_count; i++) {
        const struct iv_loss *loss = &cover->losses[i];
        iv_spans_take(&s->spans, loss->from, loss->until);
        iv_spans_add(&s->lost[loss->cause], loss->from,
                     loss->until < cover->reach ? loss->until : cover->reach);
    }
    /* Where somebody else reads on, what is behind our reach is not ours to say. */
    if (cover->state != IV_COVER_AWAY) {
        iv_spans_take(&s->spans, cover->reach, IV_NS_MAX);
    }
    return IV_OK;
}

static iv_rc take_rule_loss(void *ctx, struct iv_str rule, const struct iv_loss *loss, struct iv_err *err)
{
    struct iv_covered *c = ctx;
    struct iv_covered_rule_loss *grown =
        iv_realloc(c->rule_losses, (c->rule_loss_count + 1) * sizeof *c->rule_losses);
    ENSURE(grown != NULL, err, IV_E_NOMEM, "cannot allocate what rules have lost");
    c->rule_losses = grown;
    struct iv_covered_rule_loss *last = &grown[c->rule_loss_count];
    *last = (struct iv_covered_rule_loss){rule, *loss};
    ENSURE(iv_arena_keep(&c->names, &last->rule), err, IV_E_NOMEM, "cannot allocate what rules have lost");
    c->rule_loss_count++;
    return IV_OK;
}

static iv_rc read_all(struct iv_covered *c, struct iv_reader *reader, struct iv_err *err)
{
    TRY(iv_reader_covers(reader, take_cover, c, err));
    TRY(iv_reader_rule_losses(reader, take_rule_loss, c, err));
    for (int s = 0; s < IV_STREAMS; s++) {
        /* Behind the foremost partition nobody has read, also where none is read here now. */
        iv_spans_take(&c->streams[s].spans, c->streams[s].reach, IV_NS_MAX);
        ENSURE(!c->streams[s].spans.failed, err, IV_E_NOMEM, "cannot allocate what was covered");
    }
    return IV_OK;
}

iv_rc iv_covered_read(struct iv_covered *out, struct iv_reader *reader, struct iv_err *err)
{
    struct iv_covered c = {.rule_losses = NULL};
    iv_arena_init(&c.names, 0);
    for (int s = 0; s < IV_STREAMS; s++) {
        c.streams[s].first = IV_NS_MAX;
        c.streams[s].reach = IV_NS_MIN;
        c.streams[s].behind = IV_NS_MAX;
    }
    struct iv_rc_s rc = read_all(&c, reader, err);
    if (!iv_ok(rc)) {
        iv_covered_deinit(&c);
        return rc;
    }
    *out = c;
    return IV_OK;
}

void iv_covered_deinit(struct iv_covered *covered)
{
    for (int s = 0; s < IV_STREAMS; s++) {
        iv_spans_deinit(&covered->streams[s].spans);
        for (int cause = 0; cause < IV_LOSS_CAUSES; cause++) {
            iv_spans_deinit(&covered->streams[s].lost[cause]);
        }
    }
    iv_free(covered->rule_losses);
    iv_arena_deinit(&covered->names);
}

void iv_covered_meet(struct iv_spans *spans, const struct iv_covered *covered, unsigned streams,
                     struct iv_str rule)
{
    for (unsigned s = 0; s < IV_STREAMS; s++) {
        if ((streams >> s & 1U) != 0) {
            iv_spans_meet(spans, &covered->streams[s].spans);
        }
    }
    for (size_t i = 0; i < covered->rule_loss_count; i++) {
        const struct iv_covered_rule_loss *loss = &covered->rule_losses[i];
        if (iv_str_eq(loss->rule, rule)) {
            iv_spans_take(spans, loss->loss.from, loss->loss.until);
        }
    }
}

bool iv_covered_bounds(const struct iv_covered *covered, iv_ns *from, iv_ns *until)
{
    *from = IV_NS_MAX;
    *until = IV_NS_MIN;
    for (int s = 0; s < IV_STREAMS; s++) {
        *from = covered->streams[s].first < *from ? covered->streams[s].first : *from;
        *until = covered->streams[s].reach > *until ? covered->streams[s].reach : *until;
    }
    return *from < *until;
}

bool iv_covered_period(const struct iv_covered *covered, iv_ns *from, iv_ns *until)
{
    bool known = iv_covered_bounds(covered, from, until);
    iv_ns end = *until;
    for (int s = 0; s < IV_STREAMS; s++) {
        end = covered->streams[s].behind < end ? covered->streams[s].behind : end;
    }
    iv_ns earliest = iv_ns_add(*until, -IV_COVERED_WAIT);
    end = end > earliest ? end : earliest;
    if (known && end > *from) {
        *until = end;
    }
    return known;
}

double iv_covered_share(const struct iv_spans *spans, iv_ns from, iv_ns until)
{
    const double parts = 1e6;
    iv_ns whole = iv_ns_add(until, iv_ns_negate(from));
    iv_ns covered = iv_spans_length(spans, from, until);
    if (whole <= 0 || covered <= 0) {
        return 0;
    }
    if (covered >= whole) {
        return 1;
    }
    double share = round((double)covered / (double)whole * parts);
    return (share < 1 ? 1 : share > parts - 1 ? parts - 1 : share) / parts;
}
