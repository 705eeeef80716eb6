/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the room: digests over the JCS of parsed YAML. */
#pragma once

#include "base/digest.h"
#include "baseline/load.h"

struct iv_digesting {
    struct iv_arena arena; /* of the digest at hand */
    struct iv_digester *digester;
    struct iv_buf text;
    struct iv_digest *types; /* by event type, of its fields; n is 0 where it was not asked for yet */
};

iv_rc iv_digest_value(struct iv_digesting *d, struct iv_digest *out, const struct iv_val *v,
                      struct iv_err *err);
/* The node's value in the arena; null where the node is NULL. */
iv_rc iv_digest_node(struct iv_digesting *d, struct iv_val *out, const struct iv_yaml_node *node,
                     struct iv_err *err);

/* Of a rule: of its text, less what only people read, and of what its meaning rests on: the fields of the
 * event types that it selects, the parameters that it reads and what overrides make of them, the keyring if
 * it checks signatures, and if it requires something, what was not seen proves on the streams that can carry
 * it. What does not change a verdict is left out: lateness, dedup, idle, waivers, modes, other rules'
 * parameters. */
iv_rc iv_digest_rule(struct iv_load *load, struct iv_digesting *d, struct iv_rule *rule,
                     const struct iv_yaml_node *node, struct iv_err *err);
