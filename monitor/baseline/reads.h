/* SPDX-License-Identifier: Apache-2.0 */
/* The names that a rule's form reads: what it forbids, requires, limits or holds equal, with keys and
 * windows. Purpose: to tell somebody who reads a finding what the rule has seen under each of them.
 * Owner/thread: owned by the rule, immutable, shared.
 * Guarantee: what is read by its name is listed, once, in the order trigger, partner, parameters; of an event
 * that an expression reads as a whole, its alias. */
#pragma once

#include "baseline/baseline.h"

enum iv_read_of { IV_READ_TRIGGER, IV_READ_PARTNER, IV_READ_PARAMETER };

/* A value under which some triggers see a parameter. */
struct iv_read_override {
    struct iv_match match;
    struct iv_val value;
};

struct iv_read {
    enum iv_read_of of;
    struct iv_str
        name;   /* as an expression says it: "use.time", without an alias "time"; "baseline.token.skew" */
    bool whole; /* TRIGGER, PARTNER: the event itself; */
    uint16_t name_id;                         /* else its field */
    struct iv_val value;                      /* PARAMETER: without an override, */
    const struct iv_read_override *overrides; /* and under these, of which the first that holds counts */
    size_t override_count;
};

/* The parameter's value for this trigger. *match: of the override that says it; NULL: none does. */
struct iv_val iv_read_parameter(const struct iv_match **match, const struct iv_read *read,
                                const struct iv_catalogue *catalogue, const struct iv_object *trigger);
