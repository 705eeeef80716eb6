/* SPDX-License-Identifier: Apache-2.0 */
/* Enclaves and tokens. */
#include "app/sim/chance.h"
#include "app/sim/data.h"
#include "app/sim/tools.h"
#include "base/guard.h"

#include <stdio.h>

static void enclave(struct iv_json *j, const struct iv_sim_step *s)
{
    if (s->enclave != 0) {
        iv_sim_member_id(j, "enclave_id", "enc", s->enclave);
    }
}

static void token(struct iv_json *j, const struct iv_sim_step *s)
{
    if (s->token != 0) {
        iv_sim_member_id(j, "token_id", "tok", s->token);
    }
}

void iv_sim_write_created(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    enclave(j, s);
    iv_sim_member_digest(j, "image_sha256", IV_DIGEST_IMAGE, 1, 64);
    iv_sim_member_digest(j, "key_fp", IV_DIGEST_KEY, s->thing, 64);
    struct iv_sim_name source = iv_sim_source(s->agent, IV_TELEMETRY);
    iv_json_text(j, "node", source.text + sizeof "/runtime");
    token(j, s);
}

static void purpose(struct iv_json *j, const struct iv_sim_step *s)
{
    static const char *const listed[] = {"support", "billing"};
    if (s->plant != IV_PLANT_no_purpose) {
        iv_json_text(j, "purpose", listed[s->variant]);
    } else if (s->variant == 1) {
        iv_json_text(j, "purpose", "marketing");
    }
}

void iv_sim_write_accessed(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    static const struct {
        const char *kind;
        const char *collection;
    } kinds[] = {
        {"vector", "knowledge"}, {"relational", "accounts"}, {"object", "documents"}, {"memory", "threads"}};
    static const char *const operations[] = {"search", "read", "read", "write"};
    uint64_t chance = iv_mix(s->id);
    size_t kind = chance % IV_COUNT(kinds);
    uint32_t owner = s->agent->tenant + (s->plant == IV_PLANT_cross_tenant ? 1 : 0);
    struct iv_sim_name tenant = iv_sim_tenant(owner % w->tenants);
    iv_json_int(j, "bytes", (int64_t)(1024 + chance % 60000));
    if (s->personal) {
        iv_json_open_list(j, "data_subjects");
        iv_sim_member_id(j, NULL, "person", chance % 100000);
        iv_json_close_list(j);
    }
    enclave(j, s);
    iv_json_text(j, "operation", operations[kind]);
    iv_json_bool(j, "personal_data", s->personal);
    if (s->personal) {
        purpose(j, s);
    }
    char resource[96];
    int n = snprintf(resource, sizeof resource, "%s://%s/%s/%u", kinds[kind].kind, tenant.text,
                     kinds[kind].collection, (unsigned)(chance >> 32) % 9700);
    iv_json_str(j, "resource", (struct iv_str){resource, (size_t)n});
    iv_json_text(j, "resource_kind", kinds[kind].kind);
    iv_sim_member(j, "resource_tenant", &tenant);
    iv_json_int(j, "resource_tier", s->tier);
}

void iv_sim_write_terminated(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    enclave(j, s);
    iv_json_text(j, "reason", "work done");
}

void iv_sim_write_shredded(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    enclave(j, s);
    iv_sim_member_digest(j, "key_fp", IV_DIGEST_KEY, s->thing, 64);
}

/* A token is good for all that its session's calls need. */
void iv_sim_write_issued(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    enclave(j, s);
    iv_json_time(j, "expires_at", s->until);
    iv_sim_member_id(j, "request_id", "req", s->request);
    iv_json_raw(
        j, "scopes",
        IV_STR(
            "[\"documents:read\",\"records:read\",\"database:read\",\"messages:send\",\"records:write\"]"));
    iv_json_bool(j, "single_use", s->single_use);
    iv_json_int(j, "tier", s->tier);
    token(j, s);
}

void iv_sim_write_used(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    enclave(j, s);
    iv_json_text(j, "endpoint", iv_sim_tools[s->tool].endpoint);
    iv_sim_member_id(j, "request_id", "req", s->request);
    iv_json_text(j, "scope",
                 s->plant == IV_PLANT_ungranted_scope ? "admin:write" : iv_sim_tools[s->tool].scope);
    token(j, s);
}

void iv_sim_write_expired(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    token(j, s);
}

void iv_sim_write_revoked(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    iv_json_text(j, "reason", "work done");
    token(j, s);
}

void iv_sim_write_egress(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    bool beside = s->plant == IV_PLANT_egress_beside;
    (void)w;
    iv_json_int(j, "bytes", (int64_t)(512 + iv_mix(s->id) % 20000));
    enclave(j, s);
    iv_json_text(j, "host", beside && s->variant == 1 ? "paste.example" : "api.tools.internal");
    iv_json_int(j, "port", 443);
    iv_json_bool(j, "tls", true);
    iv_json_bool(j, "via_gateway", !beside || s->variant == 1);
}
