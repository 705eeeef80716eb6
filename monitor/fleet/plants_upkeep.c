/* SPDX-License-Identifier: Apache-2.0 */
/* Plants of agents, firmware, configuration, keys and personal data. */
#include "fleet/figures.h"
#include "fleet/plants.h"

static struct iv_sim_step *about(struct iv_sim_case *c, enum iv_step_kind kind, iv_ns after)
{
    struct iv_sim_step *step = iv_case_add(c, kind, after);
    step->thing = iv_sim_draft_number(c->draft);
    return step;
}

void iv_plant_silent_agent(struct iv_sim_case *c)
{
    struct iv_sim_step *started = iv_case_add(c, IV_STEP_started, 0);
    started->alias = c->alias;
    iv_case_convict_absence(c, "AVL-001", started, HEARTBEAT);
}

void iv_plant_over_ceiling(struct iv_sim_case *c)
{
    struct iv_sim_step *sample = iv_case_add(c, IV_STEP_sampled, 2 * MS);
    sample->variant = (uint8_t)iv_chance_below(c->draft->chance, 3);
    iv_case_convict(c, "AVL-002", sample, sample);
}

void iv_plant_kept_too_long(struct iv_sim_case *c)
{
    struct iv_sim_step *stored = about(c, IV_STEP_stored, 0);
    stored->variant = 1;
    iv_case_convict_absence(c, "PRV-001", stored, RETENTION);
}

void iv_plant_unlisted_recipient(struct iv_sim_case *c)
{
    struct iv_sim_step *shared = about(c, IV_STEP_shared, 2 * MS);
    iv_case_convict(c, "PRV-002", shared, shared);
}

void iv_plant_unverified_image(struct iv_sim_case *c)
{
    struct iv_sim_step *applied = about(c, IV_STEP_applied, 4 * MS);
    if (iv_chance_below(c->draft->chance, 2) == 0) {
        struct iv_sim_step *verified = iv_case_add(c, IV_STEP_verified, 2 * MS);
        verified->thing = applied->thing;
        verified->variant = 1;
    }
    iv_case_convict(c, "CHG-001", applied, applied);
}

void iv_plant_no_outcome(struct iv_sim_case *c)
{
    iv_case_convict_absence(c, "CHG-002", about(c, IV_STEP_offered, 0), REPORT);
}

void iv_plant_no_roll_back(struct iv_sim_case *c)
{
    iv_case_convict_absence(c, "CHG-003", about(c, IV_STEP_failed, 0), ROLL_BACK);
}

/* The author is approver 0. */
void iv_plant_own_approval(struct iv_sim_case *c)
{
    struct iv_sim_step *change = about(c, IV_STEP_config_changed, 4 * MS);
    if (iv_chance_below(c->draft->chance, 2) == 0) {
        iv_case_add(c, IV_STEP_change_approved, 2 * MS)->thing = change->thing;
    }
    iv_case_convict(c, "CHG-004", change, change);
}

void iv_plant_stale_key(struct iv_sim_case *c)
{
    iv_case_convict_absence(c, "KEY-001", about(c, IV_STEP_rotated, 0), KEY_AGE);
}
