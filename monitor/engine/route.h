/* SPDX-License-Identifier: Apache-2.0 */
/* Which engines an event goes to, where the keys of some rules are divided between several (share.h).
 * Purpose: an event is sent once to each share that has one of its keys, cut to what those rules read and
 * evidence shows, with the seal of the whole.
 * Owner/thread: one thread.
 * Guarantee: engines that together have all shares, each told what goes to it, come to the verdicts of one
 * engine that is told everything, under the same uids. Keys that fail are told of here, once.
 * Not here: the bytes that are sent (packet.h). */
#pragma once

#include "engine/engine.h"

#define IV_SHARES_MAX 4096

struct iv_router;

struct iv_router_options {
    const uint64_t *rules;     /* the rules in question, a bit for each index; used during the call only */
    uint32_t shares;           /* 1 to IV_SHARES_MAX */
    bool digests;              /* seals have the digest of the record's bytes */
    iv_complaint_fn complaint; /* may be NULL */
    void *ctx;
};

/* Takes a reference to the baseline. */
iv_rc iv_router_new(struct iv_router **out, struct iv_baseline *baseline,
                    const struct iv_router_options *options, struct iv_err *err);
void iv_router_free(struct iv_router *router);
void iv_router_freep(struct iv_router **router);

/* The shares that the event goes to, a bit each, valid until the next call; NULL: none. Where there is one,
 * event->hash_valid is known if one of the rules asks for it. IV_E_NOMEM. */
iv_rc iv_router_route(const uint64_t **out, struct iv_router *router, struct iv_event *event,
                      struct iv_err *err);
/* The digest of the record's bytes, if digests are asked for. */
void iv_router_digest(struct iv_router *router, struct iv_digest *out, const struct iv_event *event);
/* Names the whole event. */
iv_rc iv_router_seal(struct iv_router *router, struct iv_seal *out, const struct iv_event *event,
                     struct iv_err *err);
/* The slots that are sent of an event of the type. */
const uint8_t *iv_router_kept(const struct iv_router *router, const struct iv_event_type *type,
                              uint16_t *count);
/* Failures of keys. */
void iv_router_rule_stats(const struct iv_router *router, uint16_t rule_index, struct iv_rule_stats *out);
