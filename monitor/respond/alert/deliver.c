/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/alert/deliver.h"

#include "base/alloc.h"
#include "base/fault.h"
#include "base/guard.h"
#include "base/hash.h"
#include "respond/alert/outage.h"
#include "respond/alert/wire.h"
#include "respond/web/web.h"

#define LOOK_AGAIN (5 * IV_NS_PER_S)
#define BLOCKED_WAIT (100 * IV_NS_PER_MS)
#define BACKOFF_FIRST IV_NS_PER_S
#define BACKOFF_MAX (300 * IV_NS_PER_S)
#define ARENA_MAX_BYTES (16u << 20)

struct iv_deliver {
    struct iv_deliver_options options;
    struct iv_alerter *alerter; /* of this thread */
    struct iv_web *web;
    struct iv_wire *wire;
    atomic_bool ended;
    void *driver;
    struct iv_arena arena; /* of one turn */
    struct iv_notice *notices;
    size_t count;
    size_t one_by_one; /* so many deliveries more: one of what was refused together is at fault */
    int64_t failures;  /* in a row */
    iv_ns failing;     /* wall clock of the first of them; 0: none */
    bool looked;       /* whether the run before left it failing */
    bool answers;      /* no finding says that it does not */
    iv_ns not_before;  /* monotonic */
    struct iv_deliver_stats stats;
    char why[256];
};

iv_rc iv_deliver_new(struct iv_deliver **out, const struct iv_deliver_options *options, struct iv_err *err)
{
    IV_AUTO(iv_deliver_freep) struct iv_deliver *d = iv_calloc(1, sizeof *d);
    ENSURE(d != NULL, err, IV_E_NOMEM, "cannot allocate the queue of a sink");
    d->options = *options;
    iv_arena_init(&d->arena, ARENA_MAX_BYTES);
    TRY(iv_alerter_new(&d->alerter, options->alerting, err));
    TRY(iv_web_new(&d->web, err));
    TRY(iv_wire_new(&d->wire, &d->ended, err));
    const struct iv_sink_tools tools = {.sink = options->sink,
                                        .web = d->web,
                                        .wire = d->wire,
                                        .ended = &d->ended,
                                        .clock = options->clock,
                                        .link = options->alerting->link};
    TRY(options->sink->kind->open(&d->driver, &tools, err));
    *out = TAKE(d);
    return IV_OK;
}

void iv_deliver_free(struct iv_deliver *deliver)
{
    if (deliver != NULL) {
        if (deliver->driver != NULL) {
            deliver->options.sink->kind->close(deliver->driver);
        }
        iv_web_free(deliver->web);
        iv_wire_free(deliver->wire);
        iv_alerter_free(deliver->alerter);
        iv_arena_deinit(&deliver->arena);
        iv_free(deliver);
    }
}

void iv_deliver_freep(struct iv_deliver **deliver)
{
    iv_deliver_free(*deliver);
}

static iv_rc look_inside(struct iv_deliver *d, iv_ns now, iv_ns *next, struct iv_err *err)
{
    const struct iv_alert_sink *sink = d->options.sink;
    struct iv_store *store = d->options.store;
    size_t batch = d->one_by_one > 0 ? 1 : sink->kind->batch;
    if (!d->looked) {
        TRY(iv_store_sink_failing(store, &d->failing, sink->name, err));
        d->looked = true;
    }
    TRY(iv_store_notices(store, &d->notices, &d->count, sink->name, now, batch, &d->arena, err));
    if (d->count == 0 && sink->kind->refresh > 0) {
        TRY(iv_store_refreshes(store, &d->notices, &d->count, sink->name, now, batch, &d->arena, err));
    }
    return iv_store_next_notice(store, next, sink->name, err);
}

static iv_rc look(struct iv_deliver *d, iv_ns now, iv_ns *next, struct iv_err *err)
{
    iv_arena_reset(&d->arena);
    d->count = 0;
    TRY(iv_store_begin(d->options.store, err));
    struct iv_rc_s rc = look_inside(d, now, next, err);
    iv_store_rollback(d->options.store);
    return rc;
}

/* The back-off doubles up to its maximum, and of it between the half and the whole is waited. */
static iv_ns backoff(const struct iv_deliver *d)
{
    iv_ns delay = BACKOFF_FIRST;
    for (int64_t i = 1; i < d->failures && delay < BACKOFF_MAX; i++) {
        delay *= 2;
    }
    delay = delay < BACKOFF_MAX ? delay : BACKOFF_MAX;
    uint64_t hash =
        iv_hash64((struct iv_hash_key){(uint64_t)d->failures, (uint64_t)d->failing}, d->options.sink->name);
    return delay / 2 + (iv_ns)(hash % (uint64_t)(delay / 2 + 1));
}

/* When a sink that forgets is told of it again; 0: no more. */
static iv_ns refresh_at(const struct iv_deliver *d, const struct iv_alert *alert, iv_ns now)
{
    const struct iv_sink_kind *kind = d->options.sink->kind;
    bool goes_on = alert->firing || now < iv_ns_add(alert->ended, kind->remembers);
    return kind->refresh > 0 && goes_on ? iv_ns_add(now, kind->refresh) : 0;
}

static iv_rc write_told(struct iv_deliver *d, iv_ns now, struct iv_err *err)
{
    struct iv_store *store = d->options.store;
    const struct iv_alert_sink *sink = d->options.sink;
    const struct iv_alert_sink_state state = {
        .name = sink->name, .kind = iv_str_of(sink->kind->name), .succeeded = now, .why = IV_STR("")};
    for (size_t i = 0; i < d->count; i++) {
        iv_ns again = refresh_at(d, &d->notices[i].alert, now);
        TRY(iv_store_notice_told(store, &d->notices[i], sink->name, again, err));
    }
    TRY(iv_alerter_condition(d->alerter, store, IV_CONDITION_SINK_UNREACHABLE, true, sink->name,
                             IV_STR("it takes notices again"), now, err));
    if (!d->answers) {
        TRY(iv_outage_over(store, sink->name, now, err));
    }
    return iv_store_put_sink(store, &state, err);
}

static iv_rc write_refused(struct iv_deliver *d, const struct iv_delivery *delivery, iv_ns now,
                           struct iv_err *err)
{
    for (size_t i = 0; i < d->count; i++) {
        TRY(iv_store_notice_told(d->options.store, &d->notices[i], d->options.sink->name, 0, err));
        TRY(iv_store_notice_refused(d->options.store, &d->notices[i], err));
    }
    return iv_alerter_condition(d->alerter, d->options.store, IV_CONDITION_NOTICE_REFUSED, false,
                                d->options.sink->name, iv_str_of(delivery->why), now, err);
}

static iv_rc write_again(struct iv_deliver *d, const struct iv_delivery *delivery, iv_ns due, iv_ns now,
                         struct iv_err *err)
{
    struct iv_store *store = d->options.store;
    const struct iv_alert_sink *sink = d->options.sink;
    struct iv_str why = iv_str_of(delivery->why);
    const struct iv_alert_sink_state state = {.name = sink->name,
                                              .kind = iv_str_of(sink->kind->name),
                                              .succeeded = d->stats.succeeded,
                                              .failing = d->failing,
                                              .why = why};
    for (size_t i = 0; i < d->count; i++) {
        TRY(iv_store_notice_again(store, &d->notices[i], due, why, err));
    }
    if (now - d->failing >= d->options.alerting->unreachable_after) {
        TRY(iv_alerter_condition(d->alerter, store, IV_CONDITION_SINK_UNREACHABLE, false, sink->name, why,
                                 now, err));
        d->answers = false;
        TRY(iv_outage_lasts(store, sink->name, why, d->failing, now, err));
    }
    return iv_store_put_sink(store, &state, err);
}

static iv_rc write_inside(struct iv_deliver *d, const struct iv_delivery *delivery, iv_ns due, iv_ns now,
                          struct iv_err *err)
{
    switch (delivery->kind) {
    case IV_DELIVERY_TOLD:
        return write_told(d, now, err);
    case IV_DELIVERY_REFUSED:
        return write_refused(d, delivery, now, err);
    case IV_DELIVERY_AGAIN:
        break;
    }
    return write_again(d, delivery, due, now, err);
}

static iv_rc write(struct iv_deliver *d, const struct iv_delivery *delivery, iv_ns due, iv_ns now,
                   struct iv_err *err)
{
    TRY(iv_store_begin(d->options.store, err));
    struct iv_rc_s rc = write_inside(d, delivery, due, now, err);
    if (!iv_ok(rc)) {
        iv_store_rollback(d->options.store);
        return rc;
    }
    TRY(iv_store_commit(d->options.store, err));
    d->answers = d->answers || delivery->kind == IV_DELIVERY_TOLD;
    return IV_OK;
}

/* What came of it, in memory: how long the sink is left alone, and what is counted. */
static iv_ns take_note(struct iv_deliver *d, const struct iv_delivery *delivery, iv_ns now)
{
    iv_ns pace = d->options.sink->kind->pace;
    if (delivery->kind == IV_DELIVERY_AGAIN) {
        d->failures++;
        d->failing = d->failing == 0 ? now : d->failing;
        d->stats.retried += d->count;
        memcpy(d->why, delivery->why, sizeof d->why);
        iv_ns delay = backoff(d);
        return delay > delivery->retry_after ? delay : delivery->retry_after;
    }
    d->failures = 0;
    /* Of what a finding says that it is unreachable, a refusal is no end: that goes on where it was. */
    if (delivery->kind == IV_DELIVERY_TOLD || d->answers) {
        d->failing = 0;
        d->why[0] = '\0';
    }
    if (delivery->kind == IV_DELIVERY_TOLD) {
        d->stats.told += d->count;
        d->stats.succeeded = now;
    } else {
        d->stats.refused += d->count;
    }
    return pace;
}

iv_rc iv_deliver_turn(struct iv_deliver *d, iv_ns *wait, struct iv_err *err)
{
    iv_ns now = iv_wall(&d->options.clock);
    iv_ns next = IV_NS_MAX;
    struct iv_delivery delivery = {.kind = IV_DELIVERY_AGAIN};
    *wait = d->not_before - iv_monotonic(&d->options.clock);
    if (*wait > 0) {
        return IV_OK;
    }
    TRY(look(d, now, &next, err));
    if (d->count == 0) {
        iv_ns left = next > now ? next - now : BLOCKED_WAIT;
        *wait = left < LOOK_AGAIN ? left : LOOK_AGAIN;
        return IV_OK;
    }
    iv_fault("alert.before_delivery");
    struct iv_rc_s rc = d->options.sink->kind->deliver(d->driver, &delivery, d->notices, d->count, err);
    if (iv_code_class(rc.code) == IV_CLASS_REJECT) {
        iv_delivery_refused(&delivery, "sink '" IV_STR_FMT "' cannot be told: %.180s",
                            IV_STR_ARG(d->options.sink->name), err->text);
    } else {
        TRY(rc);
    }
    iv_fault("alert.delivered");
    if (delivery.kind == IV_DELIVERY_AGAIN && atomic_load(&d->ended)) {
        return IV_OK; /* the sink is not to blame */
    }
    if (delivery.kind == IV_DELIVERY_REFUSED && d->count > 1) {
        d->one_by_one = d->count;
        *wait = 0;
        return IV_OK;
    }
    d->one_by_one -= d->one_by_one > 0 ? 1 : 0;
    now = iv_wall(&d->options.clock);
    iv_ns rest = take_note(d, &delivery, now);
    d->not_before = iv_ns_add(iv_monotonic(&d->options.clock), rest);
    TRY(write(d, &delivery, iv_ns_add(now, rest), now, err));
    *wait = rest;
    return IV_OK;
}

void iv_deliver_end(struct iv_deliver *deliver)
{
    atomic_store(&deliver->ended, true);
    iv_web_wake(deliver->web);
    iv_wire_wake(deliver->wire);
}

void iv_deliver_stats(const struct iv_deliver *deliver, struct iv_deliver_stats *out)
{
    *out = deliver->stats;
}

iv_ns iv_deliver_failing(const struct iv_deliver *deliver, const char **why)
{
    *why = deliver->why;
    return deliver->failing;
}
