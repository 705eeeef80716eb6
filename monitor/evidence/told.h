/* SPDX-License-Identifier: Apache-2.0 */
/* What another process found or did, read back from its topics.
 * Purpose: one console shows what all detectors found, and a responder answers what it did not detect itself.
 * Owner/thread: pure functions; what they yield lives in the arena and in the text.
 * Guarantee: whatever the text is, it is read in full or refused with the place that is wrong; nothing in it
 * is believed beyond its type. ocsf.h writes what is read here. Not here: who reads the topics
 * (daemon/intake.h), whether the sender may write to them (the broker's ACLs). */
#pragma once

#include "base/arena.h"
#include "engine/coverage.h"
#include "event/decode.h"
#include "evidence/alive.h"
#include "evidence/execution.h"
#include "evidence/finding.h"
#include "evidence/population.h"

/* The larger of what a finding and an action may take as text; both nest no deeper than an event may. */
#define IV_TOLD_LIMITS ((struct iv_decode_limits){8u << 20, 32, 4096, 8u << 20})

/* row.detected is the given time. verdict: what playbooks refer to. Its rule is NULL, for the caller to find
 * by row.rule; the trigger has the scalar fields that the text shows (strings of up to 512 bytes) and its
 * identity; witnesses are not read. A type that the catalogue does not have is the unknown one.
 * IV_E_MALFORMED: err says which member. IV_E_NOMEM. */
struct iv_told_finding {
    struct iv_finding row;
    struct iv_verdict verdict;
    struct iv_str baseline; /* its digest; empty where the text does not say */
    struct iv_str playbook; /* that its rule names; empty: none */
    struct iv_str detail;   /* of one of the monitor about itself (own.h); else empty */
};
iv_rc iv_told_finding_read(struct iv_told_finding *out, struct iv_decoder *decoder,
                           const struct iv_catalogue *catalogue, struct iv_arena *arena, struct iv_str json,
                           iv_ns wall, struct iv_err *err);

/* A change of state of an execution, or of one of its steps: then execution.state is IV_RUN_RUNNING.
 * IV_E_MALFORMED, IV_E_NOMEM. */
struct iv_told_action {
    struct iv_execution execution;
    int64_t step;        /* its position; -1: the execution itself */
    bool joined;         /* no change: the execution answers the finding execution.finding too */
    struct iv_str state; /* as the sender called it */
    iv_ns time;
};
iv_rc iv_told_action_read(struct iv_told_action *out, struct iv_decoder *decoder, struct iv_arena *arena,
                          struct iv_str json, struct iv_err *err);

/* What another process has read of a partition, or what a rule has lost there: then rule.n > 0, and
 * cover.losses are its only members; or what rules have judged in a cell: then populations is not NULL, and
 * topic and cover.partition name the cell; or who was alive there: then alive is not NULL, likewise. In the
 * arena. IV_E_MALFORMED, IV_E_NOMEM. */
struct iv_told_coverage {
    struct iv_str rule;
    struct iv_str topic;
    struct iv_cover cover;
    const struct iv_population_row *populations;
    size_t population_count;
    const struct iv_alive_row *alive;
    size_t alive_count;
};
iv_rc iv_told_coverage_read(struct iv_told_coverage *out, struct iv_decoder *decoder, struct iv_arena *arena,
                            struct iv_str json, struct iv_err *err);
