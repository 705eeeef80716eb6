/* SPDX-License-Identifier: Apache-2.0 */
/* The alerter's insides, shared by alert.c and triage.c. Internal to the folder. */
#pragma once

#include "base/arena.h"
#include "base/digest.h"
#include "respond/alert/alert.h"

/* The tenant and the agent of an alert that stands for what is beyond per_rule. */
#define IV_ALERT_MANY IV_STR("*")

struct iv_alerter {
    const struct iv_alerting *alerting;
    struct iv_digester *digester;
    struct iv_arena arena; /* of one call */
    int64_t waiting_seen;  /* executions had changed so far when those that wait were counted */
    iv_ns waiting_at;      /* which was then, by the wall clock */
    iv_ns held_at;         /* likewise: what waits for the streams was looked for */
    char hex[IV_FINGERPRINT_HEX];
};

/* Of rule, kind, tenant, agent and subject. Valid until the next one. */
struct iv_str iv_alerter_fingerprint(struct iv_alerter *alerter, const struct iv_alert *alert);
/* The alert of a condition without a subject, until the next call; where there is none it does not fire. */
iv_rc iv_alerter_find_condition(struct iv_alerter *alerter, struct iv_store *store, struct iv_alert *out,
                                enum iv_condition condition, struct iv_err *err);
/* What a condition of the monitor's own is, before it has a fingerprint. */
struct iv_alert iv_alerter_condition_of(enum iv_condition condition, struct iv_str subject,
                                        struct iv_str detail, iv_ns now);
/* A number among the store's facts; -1: there is none of this name. */
iv_rc iv_alerter_fact(struct iv_store *store, int64_t *out, const char *name, struct iv_err *err);
iv_rc iv_alerter_put_fact(struct iv_store *store, const char *name, int64_t value, struct iv_err *err);
/* It fires no more, and each of its sinks is to be told. */
iv_rc iv_alerter_resolve(struct iv_store *store, struct iv_alert *alert, struct iv_str cause, iv_ns now,
                         struct iv_err *err);
