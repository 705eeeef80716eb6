/* SPDX-License-Identifier: Apache-2.0 */
/* Approvals: a person with a key of the baseline lets an execution pass that waits, or denies it.
 * Purpose: what is signed, and whether it counts.
 * Owner/thread: pure but for the store's transaction that the caller is inside of.
 * Guarantee: an approval is bound to its execution, to every request as it would be sent, where to and on
 * which terms, and to the key itself: for another one, for other parameters, by a key without the role, of
 * another tenant or not valid then and now, too late, or a second time by the same public key it does not
 * count, and a sentence on record says why. A denial by whoever approved counts. Each is an entry of the
 * monitor's own log. Source: RFC 8785 (what is signed is a JSON object in its canonical form), RFC 8032. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "evidence/approvals.h"

struct iv_baseline;
struct iv_keyring;
struct iv_signer;

#define IV_APPROVAL_VERSION 2 /* of the statement: what another one says does not count */
/* The bytes to be signed: JCS of {at, decision, execution, key, parameters, playbook, reason, role, target,
 * version}; parameters is the SHA-256 over name, kind, request and terms of all steps, each ended by a NUL.
 */
iv_rc iv_approval_statement(struct iv_buf *out, const struct iv_approval *approval,
                            const struct iv_task *steps, size_t count, struct iv_err *err);
/* What else is agreed to with a step's request, one JSON object: how often and how long it is tried, what
 * follows when it fails, what the streams must show of it, and when it is taken back. */
iv_rc iv_approval_terms(struct iv_buf *out, const struct iv_step *step, struct iv_err *err);

/* Judges what came since, and moves what it decides: what was approved and nothing calls for any more
 * (footing.h) is refused. baseline: in force, or NULL. *any: something was written. */
iv_rc iv_approvals_settle(bool *any, struct iv_store *store, const struct iv_keyring *keyring,
                          const struct iv_baseline *baseline, iv_ns now, struct iv_err *err);
