/* SPDX-License-Identifier: Apache-2.0 */
/* Enclaves and tokens. */
#include "base/guard.h"
#include "fleet/data.h"
#include "fleet/tools.h"

static void put_enclave(struct iv_sim_text *t, const struct iv_sim_step *s)
{
    if (s->enclave != 0) {
        PUT(t, "\"enclave_id\":\"enc-");
        iv_put_id(t, s->enclave);
        PUT(t, "\",");
    }
}

static void put_key(struct iv_sim_text *t, const struct iv_sim_step *s)
{
    PUT(t, "\"key_fp\":\"");
    iv_put_digest(t, IV_DIGEST_KEY, s->thing, 64);
    PUT(t, "\"");
}

static void put_token(struct iv_sim_text *t, const struct iv_sim_step *s)
{
    PUT(t, "\"token_id\":\"tok-");
    iv_put_id(t, s->token);
    PUT(t, "\"");
}

void iv_sim_write_created(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    const struct iv_sim_name *source = &w->source_of_node[s->agent->number % IV_SIM_NODES];
    size_t path = sizeof "/runtime" /* its NUL stands for the slash */;
    put_enclave(t, s);
    PUT(t, "\"image_sha256\":\"");
    iv_put_digest(t, IV_DIGEST_IMAGE, 1, 64);
    PUT(t, "\",");
    put_key(t, s);
    PUT(t, ",\"node\":\"");
    iv_put(t, source->text + path, source->n - path);
    PUT(t, "\"");
    if (s->token != 0) {
        PUT(t, ",");
        put_token(t, s);
    }
}

static void put_purpose(struct iv_sim_text *t, const struct iv_sim_step *s)
{
    static const char *const listed[] = {"support", "billing"};
    bool planted = s->plant == IV_PLANT_no_purpose;
    if (!planted || s->variant == 1) {
        PUT(t, "\"purpose\":\"");
        iv_put_text(t, planted ? "marketing" : listed[s->variant]);
        PUT(t, "\",");
    }
}

static void put_resource(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s,
                         uint64_t chance)
{
    static const struct {
        const char *kind;
        const char *collection;
        const char *operation;
    } kinds[] = {{"vector", "/knowledge/", "search"},
                 {"relational", "/accounts/", "read"},
                 {"object", "/documents/", "read"},
                 {"memory", "/threads/", "write"}};
    size_t kind = chance % IV_COUNT(kinds);
    uint32_t owner = s->agent->tenant + (s->plant == IV_PLANT_cross_tenant ? 1 : 0);
    const struct iv_sim_name *tenant = &w->tenant[owner % w->tenants];
    PUT(t, "\"operation\":\"");
    iv_put_text(t, kinds[kind].operation);
    iv_put_text(t, s->personal ? "\",\"personal_data\":true," : "\",\"personal_data\":false,");
    if (s->personal) {
        put_purpose(t, s);
    }
    PUT(t, "\"resource\":\"");
    iv_put_text(t, kinds[kind].kind);
    PUT(t, "://");
    iv_put_name(t, tenant);
    iv_put_text(t, kinds[kind].collection);
    iv_put_int(t, (chance >> 32) % 9700);
    PUT(t, "\",\"resource_kind\":\"");
    iv_put_text(t, kinds[kind].kind);
    PUT(t, "\",\"resource_tenant\":\"");
    iv_put_name(t, tenant);
    PUT(t, "\",\"resource_tier\":");
    iv_put_int(t, s->tier);
}

void iv_sim_write_accessed(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    uint64_t chance = iv_mix(s->id);
    PUT(t, "\"bytes\":");
    iv_put_int(t, 1024 + chance % 60000);
    PUT(t, ",");
    if (s->personal) {
        PUT(t, "\"data_subjects\":[\"person-");
        iv_put_int(t, chance % 100000);
        PUT(t, "\"],");
    }
    put_enclave(t, s);
    put_resource(t, w, s, chance);
}

void iv_sim_write_terminated(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    put_enclave(t, s);
    PUT(t, "\"reason\":\"work done\"");
}

void iv_sim_write_shredded(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    put_enclave(t, s);
    put_key(t, s);
}

/* A token is good for all that its session's calls need. */
void iv_sim_write_issued(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    put_enclave(t, s);
    PUT(t, "\"expires_at\":\"");
    iv_put_time(t, s->until);
    PUT(t, "\",\"request_id\":\"req-");
    iv_put_id(t, s->request);
    PUT(t, "\",\"scopes\":[\"documents:read\",\"records:read\",\"database:read\",\"messages:send\",\"records:"
           "write\"]");
    iv_put_text(t, s->single_use ? ",\"single_use\":true" : ",\"single_use\":false");
    PUT(t, ",\"tier\":");
    iv_put_int(t, s->tier);
    PUT(t, ",");
    put_token(t, s);
}

void iv_sim_write_used(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    put_enclave(t, s);
    PUT(t, "\"endpoint\":\"");
    iv_put_text(t, iv_sim_tools[s->tool].endpoint);
    PUT(t, "\",\"request_id\":\"req-");
    iv_put_id(t, s->request);
    PUT(t, "\",\"scope\":\"");
    iv_put_text(t, s->plant == IV_PLANT_ungranted_scope ? "admin:write" : iv_sim_tools[s->tool].scope);
    PUT(t, "\",");
    put_token(t, s);
}

void iv_sim_write_expired(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    put_token(t, s);
}

void iv_sim_write_revoked(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    PUT(t, "\"reason\":\"work done\",");
    put_token(t, s);
}

void iv_sim_write_egress(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    bool beside = s->plant == IV_PLANT_egress_beside;
    (void)w;
    PUT(t, "\"bytes\":");
    iv_put_int(t, 512 + iv_mix(s->id) % 20000);
    PUT(t, ",");
    put_enclave(t, s);
    PUT(t, "\"host\":\"");
    iv_put_text(t, beside && s->variant == 1 ? "paste.example" : "api.tools.internal");
    PUT(t, "\",\"port\":443,\"tls\":true,\"via_gateway\":");
    iv_put_text(t, !beside || s->variant == 1 ? "true" : "false");
}
