/* SPDX-License-Identifier: Apache-2.0 */
/* Agents, firmware, configuration, keys and personal data. */
#include "app/sim/chance.h"
#include "app/sim/data.h"
#include "base/guard.h"

#include <string.h>

static bool on_the_edge(const struct iv_sim_step *s)
{
    struct iv_sim_name name = iv_sim_agent_name(s);
    return strncmp(name.text, "edge-", 5) == 0;
}

static void profile(struct iv_json *j, const struct iv_sim_step *s)
{
    iv_json_text(j, "profile", on_the_edge(s) ? "edge" : "standard");
}

void iv_sim_write_started(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    iv_sim_member_digest(j, "image_sha256", IV_DIGEST_IMAGE, 0, 64);
    profile(j, s);
    iv_json_text(j, "version", s->alias == 0 ? "1.4.2" : "1.5.0-rc1");
}

void iv_sim_write_heartbeat(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    profile(j, s);
}

void iv_sim_write_stopped(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    (void)s;
    iv_json_text(j, "reason", "scaled down");
}

/* Under the ceilings of the profile, a planted one apart. */
void iv_sim_write_sampled(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    uint64_t chance = iv_mix(s->id);
    bool edge = on_the_edge(s);
    bool over = s->plant == IV_PLANT_over_ceiling;
    double cpu = (double)(5 + chance % 30 + (s->plant == IV_PLANT_two_contents ? s->variant : 0));
    (void)w;
    iv_json_real(j, "cpu_percent", over && s->variant == 0 ? 340 : edge ? cpu : 3 * cpu);
    if (s->enclave != 0) {
        iv_sim_member_id(j, "enclave_id", "enc", s->enclave);
    }
    profile(j, s);
    iv_json_real(j, "secure_storage_kb", over && s->variant == 1 ? 4096 : edge ? 16 : 128);
    iv_json_real(j, "working_set_mb",
                 over && s->variant == 2 ? 2048 : (double)((edge ? 20 : 80) + chance % 40));
}

static void firmware(struct iv_json *j, const struct iv_sim_step *s, const char *reason)
{
    bool other = s->plant == IV_PLANT_unverified_image && s->variant == 1;
    iv_sim_member_digest(j, "image_sha256", other ? IV_DIGEST_OTHER : IV_DIGEST_IMAGE, s->thing, 64);
    if (reason != NULL) {
        iv_json_text(j, "reason", reason);
    }
    iv_json_text(j, "signer", "release@vendor.example");
    iv_sim_member_id(j, "update_id", "upd", s->thing);
    iv_json_text(j, "version", "7.2.1");
}

void iv_sim_write_offered(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    firmware(j, s, NULL);
}

void iv_sim_write_verified(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    firmware(j, s, NULL);
}

void iv_sim_write_applied(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    firmware(j, s, NULL);
}

void iv_sim_write_failed(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    firmware(j, s, "self-test failed");
}

void iv_sim_write_rolled_back(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    firmware(j, s, "self-test failed");
}

void iv_sim_write_rotated(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    iv_sim_member_id(j, "key_id", "key", s->thing);
    iv_json_text(j, "purpose", "enclave attestation");
}

enum { CONTACT, SESSION };

static void category(struct iv_json *j, const struct iv_sim_step *s)
{
    iv_json_text(j, "category", s->variant == CONTACT ? "contact" : "session");
}

void iv_sim_write_stored(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    category(j, s);
    iv_sim_member_id(j, "data_subject", "person", iv_mix(s->thing) % 100000);
    iv_sim_member_id(j, "object_id", "obj", s->thing);
    iv_json_text(j, "purpose", "support");
}

void iv_sim_write_deleted(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    iv_sim_member_id(j, "object_id", "obj", s->thing);
}

void iv_sim_write_shared(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    category(j, s);
    iv_sim_member_id(j, "object_id", "obj", s->thing);
    iv_json_text(j, "purpose", "support");
    iv_json_text(j, "recipient", s->plant == IV_PLANT_unlisted_recipient ? "broker.example" : "crm.example");
}

static const char *engineer(unsigned which)
{
    static const char *const names[] = {"linus@platform.example", "margaret@platform.example"};
    return names[which % IV_COUNT(names)];
}

void iv_sim_write_config_changed(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    iv_sim_member_digest(j, "after_sha256", IV_DIGEST_OUTPUT, s->thing, 64);
    iv_json_text(j, "author", engineer(0));
    iv_sim_member_digest(j, "before_sha256", IV_DIGEST_INPUT, s->thing, 64);
    iv_sim_member_id(j, "change_id", "chg", s->thing);
    iv_json_text(j, "component", "policy-gateway");
}

void iv_sim_write_change_approved(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    iv_json_text(j, "approver", engineer(s->approver));
    iv_sim_member_id(j, "change_id", "chg", s->thing);
}

void iv_sim_write_checkpoint(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)s;
    iv_json_str(j, "note", iv_buf_slice(&w->note));
}
