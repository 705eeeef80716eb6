/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/coverage.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "engine/coverage_internal.h"

#define HOLES_MOST 4096
#define LOGS_MOST 65536

iv_rc iv_coverage_new(struct iv_coverage **out, const struct iv_coverage_options *options, struct iv_err *err)
{
    struct iv_coverage *c = iv_calloc(1, sizeof *c);
    ENSURE(c != NULL, err, IV_E_NOMEM, "cannot allocate the coverage");
    c->options = *options;
    c->options.holes_most = options->holes_most == 0 ? HOLES_MOST : options->holes_most;
    c->options.logs_most = options->logs_most == 0 ? LOGS_MOST : options->logs_most;
    c->scratch.most = UINT32_MAX;
    c->holes_free = IV_NO_HOLE;
    *out = c;
    return IV_OK;
}

void iv_coverage_free(struct iv_coverage *c)
{
    if (c == NULL) {
        return;
    }
    for (uint32_t i = 0; i < c->tract_count; i++) {
        iv_losses_deinit(&c->tracts[i].losses);
        iv_losses_deinit(&c->tracts[i].before.losses);
    }
    iv_losses_deinit(&c->scratch);
    iv_free(c->tracts);
    iv_free(c->trails);
    iv_free(c->table);
    iv_free(c->holes);
    iv_free(c);
}

void iv_coverage_freep(struct iv_coverage **coverage)
{
    iv_coverage_free(*coverage);
    *coverage = NULL;
}

void iv_coverage_policy(struct iv_coverage *coverage, const iv_ns lateness[IV_STREAMS], iv_ns waits)
{
    for (int s = 0; s < IV_STREAMS; s++) {
        coverage->options.lateness[s] = lateness[s];
    }
    coverage->options.waits = waits;
}

static bool is_tract(const struct iv_tract *t, enum iv_stream stream, int32_t partition)
{
    return t->stream == stream && t->partition == partition;
}

/* The number of a partition's tract, made where it is new. */
static iv_rc find(struct iv_coverage *c, uint32_t *out, enum iv_stream stream, int32_t partition,
                  struct iv_err *err)
{
    if (c->tract_last < c->tract_count && is_tract(&c->tracts[c->tract_last], stream, partition)) {
        *out = c->tract_last;
        return IV_OK;
    }
    uint32_t i = 0;
    while (i < c->tract_count && !is_tract(&c->tracts[i], stream, partition)) {
        i++;
    }
    if (i == c->tract_count) {
        struct iv_tract *tracts = iv_realloc(c->tracts, ((size_t)i + 1) * sizeof *tracts);
        ENSURE(tracts != NULL, err, IV_E_NOMEM, "cannot allocate the coverage of partition %d",
               (int)partition);
        c->tracts = tracts;
        c->tracts[i] = (struct iv_tract){.stream = stream,
                                         .partition = partition,
                                         .begin = IV_NS_MAX,
                                         .first = IV_NS_MAX,
                                         .reach = IV_NS_MIN};
        c->tracts[i].losses.most = c->tracts[i].before.losses.most = c->options.losses_most;
        c->tract_count++;
    }
    *out = c->tract_last = i;
    return IV_OK;
}

static iv_rc out_of_memory(struct iv_err *err)
{
    return iv_err_set(err, IV_E_NOMEM, "cannot allocate what the coverage lacks");
}

/* Ahead of its reach that run had claimed nothing yet; and what lies behind our own beginning is what an
 * earlier one has left. */
static bool recall_losses(struct iv_tract *t, const struct iv_cover *before)
{
    struct iv_losses old = t->before.losses;
    iv_ns from = t->began == IV_TRACT_NEW ? IV_NS_MIN : t->begin;
    bool whole = true;
    t->before.losses = (struct iv_losses){.most = old.most};
    for (uint32_t i = 0; i < old.count && whole; i++) {
        whole = iv_losses_add_within(&t->before.losses, &old.at[i], IV_NS_MIN, from);
    }
    for (size_t i = 0; i < before->loss_count && whole; i++) {
        whole = iv_losses_add_within(&t->before.losses, &before->losses[i], from, before->reach);
    }
    iv_losses_deinit(&old);
    return whole;
}

iv_rc iv_coverage_recall(struct iv_coverage *coverage, const struct iv_cover *before, struct iv_err *err)
{
    uint32_t i = 0;
    TRY(find(coverage, &i, before->stream, before->partition, err));
    struct iv_tract *t = &coverage->tracts[i];
    if (!recall_losses(t, before)) {
        return out_of_memory(err);
    }
    t->state = before->state;
    t->before.any = true;
    t->before.first = before->first;
    t->before.reach = before->reach;
    if (t->began == IV_TRACT_NEW) {
        t->before.of_other_run = true;
        t->before.ended = before->reach;
    }
    return IV_OK;
}

iv_rc iv_coverage_begin(struct iv_coverage *coverage, enum iv_stream stream, int32_t partition, bool whole,
                        struct iv_err *err)
{
    uint32_t i = 0;
    TRY(find(coverage, &i, stream, partition, err));
    struct iv_tract *t = &coverage->tracts[i];
    if (t->began == IV_TRACT_NEW) {
        t->began = whole ? IV_TRACT_WHOLE : IV_TRACT_MIDWAY;
        t->begin = whole ? IV_NS_MIN : IV_NS_MAX;
        t->changed = true;
    }
    return IV_OK;
}

/* Behind where this run begins all is lost, but for what an earlier one has covered. What waited when that
 * one ended is lost with it. */
static bool begin_midway(const struct iv_coverage *c, struct iv_tract *t, iv_ns begin)
{
    struct iv_loss loss = {.from = IV_NS_MIN, .until = begin, .cause = IV_LOSS_MIDWAY};
    t->begin = begin;
    if (t->before.of_other_run) {
        loss.cause = IV_LOSS_RESTART;
        loss.from = iv_ns_add(t->before.ended, iv_ns_negate(c->options.waits));
    }
    return loss.from >= loss.until || iv_losses_add(&t->losses, &loss);
}

/* What was lost before a record that came in time, lies no later than this. */
static bool settle(const struct iv_coverage *c, struct iv_tract *t, iv_ns until)
{
    if (t->begin == IV_NS_MAX && t->began == IV_TRACT_MIDWAY && !begin_midway(c, t, until)) {
        return false;
    }
    for (int cause = 0; cause < IV_LOSS_CAUSES; cause++) {
        if (t->pending[cause].open) {
            struct iv_loss loss = {t->pending[cause].from, until, t->pending[cause].records,
                                   (enum iv_loss_cause)cause};
            t->pending[cause].open = false;
            if (!iv_losses_add(&t->losses, &loss)) {
                return false;
            }
        }
    }
    return true;
}

static bool take_late(struct iv_tract *t, const struct iv_event *event)
{
    struct iv_loss loss = {event->time, t->reach, 1, IV_LOSS_LATE};
    t->changed = true;
    return iv_losses_add(&t->losses, &loss);
}

iv_rc iv_coverage_event(struct iv_coverage *coverage, const struct iv_event *event, struct iv_err *err)
{
    struct iv_coverage *c = coverage;
    if (event->standing == IV_STANDING_NONE) {
        return IV_OK;
    }
    uint32_t i = 0;
    TRY(find(c, &i, event->origin.stream, event->origin.partition, err));
    struct iv_tract *t = &c->tracts[i];
    iv_ns lateness = c->options.lateness[event->origin.stream];
    bool whole = true;
    if (event->time >= t->reach) {
        iv_ns mark = iv_ns_add(event->time, iv_ns_negate(lateness));
        whole = settle(c, t, iv_ns_add(event->time, lateness));
        t->changed = t->changed || mark > t->reach || event->time < t->first;
        t->reach = mark > t->reach ? mark : t->reach;
        t->first = event->time < t->first ? event->time : t->first;
    } else if (event->standing == IV_STANDING_NEW) {
        whole = take_late(t, event);
    }
    if (event->origin.stream == IV_LEDGER) {
        whole = whole && iv_trail_entry(c, event, i);
    }
    return whole ? IV_OK : out_of_memory(err);
}

iv_rc iv_coverage_lost(struct iv_coverage *coverage, enum iv_stream stream, int32_t partition,
                       enum iv_loss_cause cause, uint64_t records, struct iv_err *err)
{
    uint32_t i = 0;
    TRY(find(coverage, &i, stream, partition, err));
    struct iv_tract *t = &coverage->tracts[i];
    if (!t->pending[cause].open) {
        t->pending[cause].open = true;
        t->pending[cause].from = t->reach;
        t->pending[cause].records = 0;
    }
    t->pending[cause].records += records;
    return IV_OK;
}

iv_rc iv_coverage_idle(struct iv_coverage *coverage, enum iv_stream stream, int32_t partition, iv_ns wall,
                       struct iv_err *err)
{
    uint32_t i = 0;
    TRY(find(coverage, &i, stream, partition, err));
    struct iv_tract *t = &coverage->tracts[i];
    iv_ns mark = iv_ns_add(wall, iv_ns_negate(coverage->options.lateness[stream]));
    if (mark <= t->reach) {
        return IV_OK;
    }
    t->reach = mark;
    t->changed = true;
    return settle(coverage, t, wall) ? IV_OK : out_of_memory(err);
}

iv_rc iv_coverage_state(struct iv_coverage *coverage, enum iv_stream stream, int32_t partition,
                        enum iv_cover_state state, struct iv_err *err)
{
    uint32_t i = 0;
    TRY(find(coverage, &i, stream, partition, err));
    struct iv_tract *t = &coverage->tracts[i];
    t->changed = t->changed || t->state != state;
    t->state = state;
    return IV_OK;
}

void iv_coverage_all_away(struct iv_coverage *coverage)
{
    for (uint32_t i = 0; i < coverage->tract_count; i++) {
        coverage->tracts[i].changed =
            coverage->tracts[i].changed || coverage->tracts[i].state != IV_COVER_AWAY;
        coverage->tracts[i].state = IV_COVER_AWAY;
    }
}

/* What the run before had lost, where this one has not read again. */
static bool add_before(const struct iv_tract *t, struct iv_losses *out)
{
    for (uint32_t i = 0; i < t->before.losses.count; i++) {
        const struct iv_loss *loss = &t->before.losses.at[i];
        iv_ns again = t->begin < t->reach ? t->begin : IV_NS_MAX;
        iv_ns ahead = again == IV_NS_MAX ? IV_NS_MAX : t->reach;
        if (!iv_losses_add_within(out, loss, IV_NS_MIN, again) ||
            !iv_losses_add_within(out, loss, ahead, IV_NS_MAX)) {
            return false;
        }
    }
    return true;
}

static bool collect(struct iv_coverage *c, uint32_t number)
{
    const struct iv_tract *t = &c->tracts[number];
    c->scratch.count = 0;
    bool whole = add_before(t, &c->scratch);
    for (uint32_t i = 0; whole && i < t->losses.count; i++) {
        whole = iv_losses_add(&c->scratch, &t->losses.at[i]);
    }
    whole = whole && iv_trail_losses(c, number, &c->scratch);
    iv_losses_hold(&c->scratch, 2 * (c->options.losses_most == 0 ? IV_LOSSES_MAX : c->options.losses_most));
    return whole;
}

iv_rc iv_coverage_report(struct iv_coverage *coverage, bool all, iv_cover_fn visit, void *ctx,
                         struct iv_err *err)
{
    struct iv_coverage *c = coverage;
    for (uint32_t i = 0; i < c->tract_count; i++) {
        struct iv_tract *t = &c->tracts[i];
        if (!t->changed && !all) {
            continue;
        }
        if (!collect(c, i)) {
            return out_of_memory(err);
        }
        struct iv_cover cover = {.stream = t->stream,
                                 .partition = t->partition,
                                 .state = t->state,
                                 .first = t->first,
                                 .reach = t->reach,
                                 .losses = c->scratch.at,
                                 .loss_count = c->scratch.count};
        if (t->before.any) {
            cover.first = t->before.first < cover.first ? t->before.first : cover.first;
            cover.reach = t->before.reach > cover.reach ? t->before.reach : cover.reach;
        }
        TRY(visit(ctx, &cover, err));
        t->changed = false;
    }
    return IV_OK;
}
