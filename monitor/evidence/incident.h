/* SPDX-License-Identifier: Apache-2.0 */
/* Incidents and the fleet: findings of one rule, tenant and agent as one, and what weighs on agents.
 * Owner/thread: as reader.h has it. As of the last step of the sums (sums.h). */
#pragma once

#include "evidence/reader.h"

enum { IV_SPARKS = 24 };

struct iv_incident {
    int64_t id;
    int64_t seq; /* of its newest change */
    struct iv_str rule;
    struct iv_str title; /* this one and the next three: of its newest finding */
    enum iv_severity severity;
    struct iv_str criteria;
    struct iv_str assignee; /* empty: nobody */
    struct iv_str tenant;
    struct iv_str agent;
    int64_t count;
    int64_t live;   /* violations that stand, which nobody has closed or waived */
    int64_t waived; /* by the baseline, or by a waiver of the console's */
    enum iv_triage_state state;
    iv_ns first; /* least and greatest time of an event */
    iv_ns last;
    iv_ns detected;       /* wall clock: when its first finding was made; 0: not known */
    struct iv_str newest; /* uid of its newest finding */
};
typedef bool (*iv_incident_visit)(void *ctx, const struct iv_incident *incident);

/* Of the filter: rule, criterion, tenant, agent, severities, states, assignee, q (of triggers, those of the
 * newest findings), from and until (an event of it lies there; count is of those that do), suppressed, after,
 * before, newest_first, limit. */
iv_rc iv_reader_incidents(struct iv_reader *reader, const struct iv_finding_filter *filter,
                          iv_incident_visit visit, void *ctx, struct iv_err *err);

/* Visits the one that a finding belongs to, or none: the sums do not have it yet. */
iv_rc iv_reader_incident_of(struct iv_reader *reader, const struct iv_finding *finding,
                            iv_incident_visit visit, void *ctx, struct iv_err *err);

/* How many findings of it lie in each IV_SPARKS-th of a period. */
iv_rc iv_reader_sparks(struct iv_reader *reader, int64_t out[IV_SPARKS], int64_t incident, iv_ns from,
                       iv_ns until, struct iv_err *err);

/* An agent, or a tenant with all its agents. */
struct iv_fleet_item {
    struct iv_str tenant;
    struct iv_str agent;
    int64_t agents; /* of a tenant */
    double risk; /* 10, 5, 2, 1 and 0 for a live finding by severity, halved for each day since its event */
    int64_t live[IV_SEV_CRITICAL + 1]; /* by severity */
    int64_t findings;
    int64_t executions;
    iv_ns first;
    iv_ns last;
    int64_t rank; /* by what the order goes, before the names; of no other order's */
    int64_t id;   /* of one of its incidents, always the same one */
};
typedef bool (*iv_fleet_visit)(void *ctx, const struct iv_fleet_item *item);

struct iv_fleet_filter {
    struct iv_str tenant; /* p NULL: any */
    bool tenants;         /* by tenant */
    enum { IV_FLEET_BY_RISK, IV_FLEET_BY_FINDINGS, IV_FLEET_BY_LAST, IV_FLEET_BY_NAME } order;
    int64_t day;   /* since the epoch, for the risk; the same for all pages */
    int64_t after; /* the id of the last item of the page before; 0: from the first. */
    int64_t rank;  /* and its rank then */
    size_t limit;
};
/* An agent that has moved since then, over the place that a page begins at, is told twice or not at all; any
 * other once. IV_E_REFUSED: there is no such id. */
iv_rc iv_reader_fleet(struct iv_reader *reader, const struct iv_fleet_filter *filter, iv_fleet_visit visit,
                      void *ctx, struct iv_err *err);

/* How many findings stand, by rule, that nobody has closed or waived. */
typedef bool (*iv_live_visit)(void *ctx, struct iv_str rule, int64_t live);
iv_rc iv_reader_live(struct iv_reader *reader, iv_live_visit visit, void *ctx, struct iv_err *err);
