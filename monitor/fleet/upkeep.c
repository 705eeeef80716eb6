/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/upkeep.h"
#include "fleet/figures.h"

/* A step about something, some time after the one before. */
static struct iv_sim_step *next(struct iv_sim_draft *draft, enum iv_step_kind kind, uint64_t thing,
                                iv_ns *now)
{
    *now += iv_chance_between(draft->chance, 20, 400) * MS;
    struct iv_sim_step *step = iv_sim_draft_add(draft, kind, *now);
    step->thing = thing;
    step->aside = true;
    return step;
}

/* One in ten updates fails, and is rolled back. */
static void update_firmware(struct iv_sim_draft *draft, iv_ns now)
{
    uint64_t update = iv_sim_draft_number(draft);
    next(draft, IV_STEP_offered, update, &now);
    next(draft, IV_STEP_verified, update, &now);
    if (iv_chance_below(draft->chance, 10) != 0) {
        next(draft, IV_STEP_applied, update, &now);
        return;
    }
    next(draft, IV_STEP_failed, update, &now);
    next(draft, IV_STEP_rolled_back, update, &now);
}

static void keep_data(struct iv_sim_draft *draft, iv_ns now)
{
    uint64_t object = iv_sim_draft_number(draft);
    uint8_t category = (uint8_t)iv_chance_below(draft->chance, 2);
    next(draft, IV_STEP_stored, object, &now)->variant = category;
    if (category == 0 && iv_chance_below(draft->chance, 2) == 0) {
        next(draft, IV_STEP_shared, object, &now);
    }
    next(draft, IV_STEP_deleted, object, &now);
}

static void change_config(struct iv_sim_draft *draft, iv_ns now)
{
    uint64_t change = iv_sim_draft_number(draft);
    next(draft, IV_STEP_change_approved, change, &now)->approver = 1;
    next(draft, IV_STEP_config_changed, change, &now);
}

void iv_sim_upkeep(struct iv_sim_draft *draft, iv_ns begin)
{
    switch (iv_chance_below(draft->chance, 40)) {
    case 0:
    case 1:
    case 2:
        keep_data(draft, begin);
        break;
    case 3:
        update_firmware(draft, begin);
        break;
    case 4:
        change_config(draft, begin);
        break;
    case 5:
        /* The agent's own key: it has one, so the next rotation is that of the same. */
        next(draft, IV_STEP_rotated, (uint64_t)draft->agent->number + 1, &begin);
        break;
    default:
        break;
    }
}
