/* SPDX-License-Identifier: Apache-2.0 */
/* The section "alerts" of the configuration: sinks, routes, and how patient they are.
 * Owner/thread: read by one thread, then immutable and shared.
 * Guarantee: every mistake is a problem at its place; secrets come from files, and are wiped at the end.
 * Not here: who is told of what (route.h). */
#pragma once

#include "base/arena.h"
#include "respond/alert/route.h"
#include "respond/alert/sink.h"

struct iv_problems;
struct iv_yaml_node;

#define IV_ALERT_SINKS_MAX 32
#define IV_ALERT_ROUTES_MAX 64

struct iv_alerting {
    struct iv_arena arena; /* owns all that follows */
    struct iv_alert_sink *sinks;
    size_t sink_count; /* 0: nobody is ever told */
    struct iv_alert_route *routes;
    size_t route_count;
    iv_ns resolve_after;     /* without another finding */
    iv_ns wait;              /* before the first notice of an alert, so that it tells of a burst */
    iv_ns unreachable_after; /* a sink that fails for so long is an alert to the others */
    iv_ns canary;            /* between two synthetic alerts; 0: none */
    int64_t per_rule;        /* alerts of one rule; what comes beyond them is one more for all */
    struct iv_str link;      /* the console's address, for people; p NULL: none */
};

/* node NULL: no sinks. The problems have what is wrong; IV_E_NOMEM. */
iv_rc iv_alerting_read(struct iv_alerting **out, const struct iv_yaml_node *node,
                       struct iv_problems *problems, struct iv_err *err);
void iv_alerting_free(struct iv_alerting *alerting);
void iv_alerting_freep(struct iv_alerting **alerting);
