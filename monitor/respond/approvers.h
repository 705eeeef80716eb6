/* SPDX-License-Identifier: Apache-2.0 */
/* Who may approve, and how many of them must: as one text of roles of the baseline's keys.
 * "security on-call": of these roles, whichever; "security & tenant-owner": of each of them, and where a role
 * stands twice, two of it.
 * Owner/thread: pure. Not here: whether an approval counts (approval.h), how a playbook says it (quorum.h).
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"
#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct iv_keyring;

#define IV_QUORUM_MAX 9
#define IV_EACH "&" /* between roles of which each must say so; no role's name */

/* So many different keys, each with one of these roles. */
struct iv_consent {
    struct iv_str roles; /* spaces between */
    int64_t count;
};
struct iv_consents {
    struct iv_consent items[IV_QUORUM_MAX];
    size_t count;
};

bool iv_approvers_have(struct iv_str roles, struct iv_str role);
/* Calls visit with each role, in order, once for each time that it stands there. */
void iv_approvers_each(struct iv_str roles, void (*visit)(void *ctx, struct iv_str role), void *ctx);

/* What an execution of these approvers and this quorum waits for, all of it. */
struct iv_consents iv_consents_of(struct iv_str approvers, int64_t quorum);
/* One of this role has said so: what is left of it. */
void iv_consents_take(struct iv_consents *needs, struct iv_str role);
bool iv_consents_met(const struct iv_consents *needs);
/* "2 of: security on-call", "1 security and 1 tenant-owner"; of what is met nothing. */
void iv_consents_write(struct iv_buf *out, const struct iv_consents *needs);

/* What can never be had of the needs with these keys. */
struct iv_lack {
    struct iv_buf *roles; /* the caller's; spaces between */
    int64_t needed;
    int64_t there; /* different public keys of one of them */
    bool bound;    /* with those that are bound to the tenant that has the most */
};
/* now: of those that are valid then; NULL: whenever they are. A key that is bound to a tenant approves for
 * that one alone, and one public key counts once. */
bool iv_consents_lack(struct iv_lack *lack, const struct iv_consents *needs, const struct iv_keyring *keyring,
                      const struct iv_instant *now);
