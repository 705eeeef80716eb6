/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/route.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "engine/core.h"
#include "engine/dispatch.h"
#include "engine/eval.h"
#include "engine/tree.h"
#include "event/chain.h"
#include "event/content.h"

#include <string.h>

/* An engine that is never told an event: its plan says what concerns whom, its frame runs the keys' programs.
 */
struct iv_router {
    struct iv_engine *engine;
    uint32_t shares;
    uint64_t *targets;
};

static void no_verdict(void *ctx, const struct iv_verdict *verdict)
{
    (void)ctx;
    (void)verdict;
}

struct iv_rc_s iv_router_new(struct iv_router **out, struct iv_baseline *baseline,
                             const struct iv_router_options *options, struct iv_err *err)
{
    IV_AUTO(iv_router_freep) struct iv_router *r = iv_calloc(1, sizeof *r);
    ENSURE(r != NULL, err, IV_E_NOMEM, "cannot allocate a router");
    const struct iv_engine_options engine = {.verdict = no_verdict,
                                             .complaint = options->complaint,
                                             .ctx = options->ctx,
                                             .digests = options->digests,
                                             .rules = options->rules};
    r->shares = options->shares;
    r->targets = iv_calloc(options->shares / 64 + 1, sizeof *r->targets);
    ENSURE(r->targets != NULL, err, IV_E_NOMEM, "cannot allocate a router to %u shares",
           (unsigned)options->shares);
    TRY(iv_engine_new(&r->engine, baseline, &engine, err));
    *out = TAKE(r);
    return IV_OK;
}

void iv_router_free(struct iv_router *router)
{
    if (router != NULL) {
        iv_engine_free(router->engine);
        iv_free(router->targets);
        iv_free(router);
    }
}

void iv_router_freep(struct iv_router **router)
{
    iv_router_free(*router);
    *router = NULL;
}

static void add_target(struct iv_router *r, struct iv_str key)
{
    uint32_t share = iv_share_of(key, r->shares);
    r->targets[share / 64] |= UINT64_C(1) << (share % 64);
}

/* Whether there is any. */
static bool find_targets(struct iv_router *r, const struct iv_concern *concern, struct iv_event *event)
{
    struct iv_engine *e = r->engine;
    struct iv_short_key room;
    struct iv_str key;
    bool any = false;
    uint32_t params = iv_eval_params(e, &event->object);
    memset(r->targets, 0, (r->shares / 64 + 1) * sizeof *r->targets);
    for (uint16_t g = 0; g < concern->group_count; g++) {
        const struct iv_terms_plan *terms = &e->plan.terms[concern->groups[g].terms];
        struct iv_pair pair = {terms->owner, event, event, params};
        if (iv_eval_key_bytes(e, &pair, terms->terms, terms->partner, &room, &key)) {
            add_target(r, key);
            any = true;
        }
    }
    if (iv_tree_key(e, event, &room, &key)) { /* entries of a log stand in no lane */
        add_target(r, key);
        any = true;
    }
    return any;
}

struct iv_rc_s iv_router_route(const uint64_t **out, struct iv_router *router, struct iv_event *event,
                               struct iv_err *err)
{
    struct iv_engine *e = router->engine;
    const struct iv_type_plan *type = &e->plan.types[event->type->index];
    bool any = false;
    if (type->concerned) {
        const struct iv_concern *concern = iv_dispatch_find(e->plan.dispatch, event);
        ENSURE(concern != NULL, err, IV_E_NOMEM, "cannot allocate what an event concerns");
        any = find_targets(router, concern, event);
        ENSURE(!e->spent, err, IV_E_NOMEM, "cannot allocate the keys of an event");
    }
    if (any && type->needs_chain) {
        (void)iv_chain_valid(event, e->digester);
    }
    *out = any ? router->targets : NULL;
    return IV_OK;
}

void iv_router_digest(struct iv_router *router, struct iv_digest *out, const struct iv_event *event)
{
    const struct iv_engine *e = router->engine;
    if (event->seal != NULL && event->seal->digest.n > 0) {
        *out = event->seal->digest;
    } else if (e->options.digests && event->record != NULL) {
        iv_digest(e->digester, out, IV_SHA256, event->record->bytes);
    } else {
        out->n = 0;
    }
}

struct iv_rc_s iv_router_seal(struct iv_router *router, struct iv_seal *out, const struct iv_event *event,
                              struct iv_err *err)
{
    struct iv_engine *e = router->engine;
    struct iv_seal seal = {.named = true};
    iv_router_digest(router, &seal.digest, event);
    TRY(iv_event_content_id(seal.content_id, e->digester, &e->key, event, err));
    *out = seal;
    return IV_OK;
}

const uint8_t *iv_router_kept(const struct iv_router *router, const struct iv_event_type *type,
                              uint16_t *count)
{
    const struct iv_type_plan *plan = &router->engine->plan.types[type->index];
    *count = plan->kept_count;
    return plan->kept;
}

void iv_router_rule_stats(const struct iv_router *router, uint16_t rule_index, struct iv_rule_stats *out)
{
    *out = router->engine->rule_stats[rule_index];
}
