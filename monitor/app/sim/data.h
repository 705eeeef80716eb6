/* SPDX-License-Identifier: Apache-2.0 */
/* The data of a step's event, as canonical JSON (RFC 8785: members in order of their names).
 * Owner/thread: a world is the fleet's, one thread. */
#pragma once

#include "app/sim/names.h"
#include "app/sim/step.h"
#include "base/buf.h"
#include "base/json_write.h"
#include "event/sign.h"

struct iv_sim_world {
    uint32_t tenants;
    struct iv_signer *orchestrator; /* signs receipts */
    struct iv_signer *ledger;       /* signs checkpoints */
    struct iv_signer *stranger;     /* signs some that are planted; nobody has its key */
    struct iv_buf receipt;          /* scratch */
    struct iv_buf note;             /* of the checkpoint that is being written */
};

#define IV_SIM_ORCHESTRATOR_KEY "orchestrator-1"
#define IV_SIM_LEDGER_KEY "log-1"

void iv_sim_write_data(struct iv_buf *out, struct iv_sim_world *world, const struct iv_sim_step *step);

/* Of a number there are several digests that have nothing to do with each other. */
enum iv_sim_digest {
    IV_DIGEST_ARGS = 1,
    IV_DIGEST_INPUT,
    IV_DIGEST_OUTPUT,
    IV_DIGEST_KEY,
    IV_DIGEST_IMAGE,
    IV_DIGEST_OTHER
};

/* Members: a string that needs no escaping; an id behind its prefix; a digest of so many hex digits. */
void iv_sim_member(struct iv_json *j, const char *name, const struct iv_sim_name *value);
void iv_sim_member_id(struct iv_json *j, const char *name, const char *prefix, uint64_t number);
void iv_sim_member_digest(struct iv_json *j, const char *name, enum iv_sim_digest of, uint64_t number,
                          unsigned digits);

#define STEP(id, stream, type)                                                                               \
    void iv_sim_write_##id(struct iv_json *j, struct iv_sim_world *world, const struct iv_sim_step *step);
#include "app/sim/steps.def"
#undef STEP
