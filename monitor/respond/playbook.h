/* SPDX-License-Identifier: Apache-2.0 */
/* Playbooks: what is done about a finding, written as YAML, checked when the baseline is loaded.
 * Purpose: parse the playbooks of a baseline, and turn a finding into a planned execution with rendered
 * steps.
 * Owner/thread: immutable once loaded, shared by threads; planning writes to the caller's transaction only.
 * Guarantee: a template that names a field which no trigger of its rules can have is refused at load. What
 * is only known later (an optional field that this trigger lacks) fails the execution, on record, with the
 * field's name.
 * Not here: carrying out (responder.h), where endpoints are (endpoint.h). remediations/README.md is the
 * reference. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "evidence/execution.h"

#include <stdbool.h>
#include <stddef.h>

struct iv_baseline;
struct iv_endpoint;
struct iv_problems;
struct iv_store;
struct iv_verdict;
struct iv_playbooks;

/* A counted reference. IV_E_REFUSED: problems says why, with places; as invigil check shows it. The baseline
 * is not kept, but known again by its address: while the playbooks are in use no other one stands there. */
iv_rc iv_playbooks_load(struct iv_playbooks **out, const struct iv_baseline *baseline,
                        struct iv_problems *problems, struct iv_err *err);
/* The same, for a person who asks whether all is well now: what could only be approved by keys that have run
 * out, or are not valid yet, is refused too. A monitor that starts does not ask: it has more to do. */
iv_rc iv_playbooks_check(const struct iv_baseline *baseline, iv_ns now, struct iv_problems *problems,
                         struct iv_err *err);
struct iv_playbooks *iv_playbooks_ref(struct iv_playbooks *playbooks); /* NULL is fine */
void iv_playbooks_unref(struct iv_playbooks *playbooks);
void iv_playbooks_unrefp(struct iv_playbooks **playbooks);

/* Before anybody else has them: whatever they say, all of them are in observe mode. */
void iv_playbooks_observe(struct iv_playbooks *playbooks);
/* Likewise: what is planned from then on tells where its endpoints are, so that whoever approves it sees it
 * and signs it. */
iv_rc iv_playbooks_locate(struct iv_playbooks *playbooks, const struct iv_endpoint *endpoints, size_t count,
                          struct iv_err *err);

size_t iv_playbooks_count(const struct iv_playbooks *playbooks);

/* Plans the playbook that the verdict's rule names, and each that the finding is an occasion for ("on:"),
 * inside the transaction that the finding is written in; now is the wall clock. Nothing is planned unless the
 * verdict is a violation of a rule in force (not observed) and no waiver holds; nor a second time for the
 * same finding. A finding for a target that an execution of the playbook is at, or has been at within dedup,
 * joins that one. An occasion that cannot be decided is on record as a failed execution. */
iv_rc iv_respond_plan(const struct iv_playbooks *playbooks, struct iv_store *store,
                      const struct iv_finding *finding, const struct iv_verdict *verdict,
                      const struct iv_baseline *baseline, iv_ns now, struct iv_err *err);
/* The finding calls for the playbook of this name, and nobody can tell what it comes to, for the reason
 * given: on record as a failed execution, one for all that fail alike within a while. */
iv_rc iv_respond_unplannable(const struct iv_playbooks *playbooks, struct iv_store *store,
                             const struct iv_finding *finding, struct iv_str playbook, const char *why,
                             const struct iv_baseline *baseline, iv_ns now, struct iv_err *err);
