/* SPDX-License-Identifier: Apache-2.0 */
/* From findings, and from conditions of the monitor's own, to alerts and notices in the store.
 * Purpose: a rule violated by one agent of one tenant is one alert, whatever the number of findings. Its
 * first finding is told at once, then each tenth, hundredth, thousandth, …, then that it is over.
 * Owner/thread: an alerter belongs to one thread; what it writes is part of the caller's transaction, so that
 * a finding and its notices are kept together or not at all.
 * Guarantee: nothing is told of what a waiver covers. A storm in one rule makes at most per_rule alerts and
 * one for all the rest. Not here: telling (deliver.h).
 *
 *              a finding, a condition            contradicted or closed in full, quiet
 *   (nothing) ────────────────────────▶ firing ────────────────────────────────▶ resolved
 *                                        │  ▲   for resolve_after, said to be over    │
 *                                        └──┘ another finding          another finding └──▶ firing, anew */
#pragma once

#include "respond/alert/settings.h"

struct iv_alerter;

/* alerting outlives it. */
iv_rc iv_alerter_new(struct iv_alerter **out, const struct iv_alerting *alerting, struct iv_err *err);
void iv_alerter_free(struct iv_alerter *alerter);
void iv_alerter_freep(struct iv_alerter **alerter);

/* What it has come to with this finding; put: what the store said of it. */
iv_rc iv_alerter_finding(struct iv_alerter *alerter, struct iv_store *store, const struct iv_finding *finding,
                         enum iv_put put, iv_ns now, struct iv_err *err);

/* Conditions of the monitor itself. They are routed like findings; what no route takes goes to every sink. */
enum iv_condition {
#define CONDITION(id, name, severity, criteria, minutes, word, title) IV_CONDITION_##id,
#include "respond/alert/conditions.def"
#undef CONDITION
    IV_CONDITIONS
};
/* It is there (over false), or over. subject: what it is about, may be empty; detail: a sentence. */
iv_rc iv_alerter_condition(struct iv_alerter *alerter, struct iv_store *store, enum iv_condition condition,
                           bool over, struct iv_str subject, struct iv_str detail, iv_ns now,
                           struct iv_err *err);

/* A finding of another process about itself, which alerts nobody: the same condition, about that one. */
iv_rc iv_alerter_own(struct iv_alerter *alerter, struct iv_store *store, const struct iv_finding *finding,
                     struct iv_str detail, iv_ns now, struct iv_err *err);

/* Takes over what people have done with findings since it was called last: whoever acknowledged one of an
 * alert's acknowledges the alert, at the sinks that know such a thing; one of whose findings none stands any
 * more, because they were closed, is resolved. *any: something was done, and there may be more. */
iv_rc iv_alerter_triage(struct iv_alerter *alerter, struct iv_store *store, bool *any, iv_ns now,
                        struct iv_err *err);

/* Takes over what has become of executions since it was called last: those that ended in vain, and steps
 * whose evidence says so, are a condition; so is that some wait for an approval, until none does. *any:
 * something was looked at, and there may be more. */
iv_rc iv_alerter_remediation(struct iv_alerter *alerter, struct iv_store *store, bool *any, iv_ns now,
                             struct iv_err *err);

/* Resolves some of what has been quiet for long enough, and forgets what was resolved a day ago. *any: it
 * has, and there may be more. */
iv_rc iv_alerter_settle(struct iv_alerter *alerter, struct iv_store *store, bool *any, iv_ns now,
                        struct iv_err *err);
