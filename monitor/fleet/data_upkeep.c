/* SPDX-License-Identifier: Apache-2.0 */
/* Agents, firmware, configuration, keys and personal data. */
#include "base/guard.h"
#include "fleet/data.h"

static bool on_the_edge(const struct iv_sim_step *s)
{
    return s->alias == 0 && s->agent->edge;
}

static void put_profile(struct iv_sim_text *t, const struct iv_sim_step *s)
{
    iv_put_text(t, on_the_edge(s) ? "\"profile\":\"edge\"" : "\"profile\":\"standard\"");
}

void iv_sim_write_started(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    PUT(t, "\"image_sha256\":\"");
    iv_put_digest(t, IV_DIGEST_IMAGE, 0, 64);
    PUT(t, "\",");
    put_profile(t, s);
    iv_put_text(t, s->alias == 0 ? ",\"version\":\"1.4.2\"" : ",\"version\":\"1.5.0-rc1\"");
}

void iv_sim_write_heartbeat(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    put_profile(t, s);
}

void iv_sim_write_stopped(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    (void)s;
    PUT(t, "\"reason\":\"scaled down\"");
}

/* Under the ceilings of the profile, a planted one apart. */
void iv_sim_write_sampled(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    uint64_t chance = iv_mix(s->id);
    bool edge = on_the_edge(s);
    bool over = s->plant == IV_PLANT_over_ceiling;
    uint64_t cpu = 5 + chance % 30 + (s->plant == IV_PLANT_two_contents ? s->variant : 0);
    (void)w;
    PUT(t, "\"cpu_percent\":");
    iv_put_int(t, over && s->variant == 0 ? 340 : edge ? cpu : 3 * cpu);
    if (s->enclave != 0) {
        PUT(t, ",\"enclave_id\":\"enc-");
        iv_put_id(t, s->enclave);
        PUT(t, "\"");
    }
    PUT(t, ",");
    put_profile(t, s);
    PUT(t, ",\"secure_storage_kb\":");
    iv_put_int(t, over && s->variant == 1 ? 4096 : edge ? 16 : 128);
    PUT(t, ",\"working_set_mb\":");
    iv_put_int(t, over && s->variant == 2 ? 2048 : (edge ? 20 : 80) + chance % 40);
}

static void put_firmware(struct iv_sim_text *t, const struct iv_sim_step *s)
{
    bool other = s->plant == IV_PLANT_unverified_image && s->variant == 1;
    PUT(t, "\"image_sha256\":\"");
    iv_put_digest(t, other ? IV_DIGEST_OTHER : IV_DIGEST_IMAGE, s->thing, 64);
    if (s->kind == IV_STEP_failed || s->kind == IV_STEP_rolled_back) {
        PUT(t, "\",\"reason\":\"self-test failed");
    }
    PUT(t, "\",\"signer\":\"release@vendor.example\",\"update_id\":\"upd-");
    iv_put_id(t, s->thing);
    PUT(t, "\",\"version\":\"7.2.1\"");
}

void iv_sim_write_offered(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    put_firmware(t, s);
}

void iv_sim_write_verified(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    put_firmware(t, s);
}

void iv_sim_write_applied(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    put_firmware(t, s);
}

void iv_sim_write_failed(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    put_firmware(t, s);
}

void iv_sim_write_rolled_back(struct iv_sim_text *t, const struct iv_sim_world *w,
                              const struct iv_sim_step *s)
{
    (void)w;
    put_firmware(t, s);
}

void iv_sim_write_rotated(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    PUT(t, "\"key_id\":\"key-");
    iv_put_id(t, s->thing);
    PUT(t, "\",\"purpose\":\"enclave attestation\"");
}

enum { CONTACT, SESSION };

static void put_category(struct iv_sim_text *t, const struct iv_sim_step *s)
{
    iv_put_text(t, s->variant == CONTACT ? "\"category\":\"contact\"," : "\"category\":\"session\",");
}

static void put_object(struct iv_sim_text *t, const struct iv_sim_step *s)
{
    PUT(t, "\"object_id\":\"obj-");
    iv_put_id(t, s->thing);
    PUT(t, "\"");
}

void iv_sim_write_stored(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    put_category(t, s);
    PUT(t, "\"data_subject\":\"person-");
    iv_put_int(t, iv_mix(s->thing) % 100000);
    PUT(t, "\",");
    put_object(t, s);
    PUT(t, ",\"purpose\":\"support\"");
}

void iv_sim_write_deleted(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    put_object(t, s);
}

void iv_sim_write_shared(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    bool unlisted = s->plant == IV_PLANT_unlisted_recipient;
    (void)w;
    put_category(t, s);
    put_object(t, s);
    PUT(t, ",\"purpose\":\"support\",\"recipient\":\"");
    iv_put_text(t, unlisted ? "broker.example\"" : "crm.example\"");
}

static const char *engineer(unsigned which)
{
    static const char *const names[] = {"linus@platform.example", "margaret@platform.example"};
    return names[which % IV_COUNT(names)];
}

static void put_change(struct iv_sim_text *t, const struct iv_sim_step *s)
{
    PUT(t, "\"change_id\":\"chg-");
    iv_put_id(t, s->thing);
    PUT(t, "\"");
}

void iv_sim_write_config_changed(struct iv_sim_text *t, const struct iv_sim_world *w,
                                 const struct iv_sim_step *s)
{
    (void)w;
    PUT(t, "\"after_sha256\":\"");
    iv_put_digest(t, IV_DIGEST_OUTPUT, s->thing, 64);
    PUT(t, "\",\"author\":\"");
    iv_put_text(t, engineer(0));
    PUT(t, "\",\"before_sha256\":\"");
    iv_put_digest(t, IV_DIGEST_INPUT, s->thing, 64);
    PUT(t, "\",");
    put_change(t, s);
    PUT(t, ",\"component\":\"policy-gateway\"");
}

void iv_sim_write_change_approved(struct iv_sim_text *t, const struct iv_sim_world *w,
                                  const struct iv_sim_step *s)
{
    (void)w;
    PUT(t, "\"approver\":\"");
    iv_put_text(t, engineer(s->approver));
    PUT(t, "\",");
    put_change(t, s);
}

/* What it says depends on the log: ledger.c writes it. */
void iv_sim_write_checkpoint(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)t;
    (void)w;
    (void)s;
}
