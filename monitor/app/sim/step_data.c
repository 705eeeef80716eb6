/* SPDX-License-Identifier: Apache-2.0 */
#include "app/sim/step_data.h"
#include "app/sim/names.h"
#include "base/encode.h"
#include "base/guard.h"
#include "base/json_write.h"

#include <stdio.h>

static const struct {
    const char *name;
    const char *scope;
    const char *endpoint;
    bool mutates;
} tools[] = {
    {"search_documents", "documents:read", "https://tools.internal/search", false},
    {"read_record", "records:read", "https://tools.internal/records", false},
    {"query_database", "database:read", "https://tools.internal/query", false},
    {"send_message", "messages:send", "https://tools.internal/messages", true},
    {"update_record", "records:write", "https://tools.internal/records", true},
    {"summarize", "documents:read", "https://tools.internal/summarize", false},
};

static size_t tool_of(const struct iv_sim_world *w, const struct iv_sim_step *step)
{
    return iv_mix(w->seed ^ step->session->number * 31 ^ (step->call & 15U)) % IV_COUNT(tools);
}

static const char *risk_of(const struct iv_sim_step *step)
{
    unsigned call = step->call & 15U;
    return call < IV_SIM_CALLS_MAX && step->session->elevated[call] ? "high" : "low";
}

static void id(struct iv_json *j, const char *field, const struct iv_sim_world *w, enum iv_sim_sort sort,
               const struct iv_sim_step *step, unsigned part)
{
    iv_json_text(j, field, iv_sim_id(w->seed, sort, step->session->number, part).text);
}

static void hex(struct iv_json *j, const char *field, const struct iv_sim_world *w, enum iv_sim_sort sort,
                const struct iv_sim_step *step, unsigned digits)
{
    iv_json_text(j, field, iv_sim_hex(w->seed, sort, step->session->number, step->call & 15U, digits).text);
}

static void scopes(struct iv_json *j, const struct iv_sim_world *w, const struct iv_sim_step *step)
{
    iv_json_open_list(j, "scopes");
    iv_json_text(j, NULL, tools[tool_of(w, step)].scope);
    iv_json_close_list(j);
}

/* A token is good for all that its session's calls need. */
static void all_scopes(struct iv_json *j)
{
    static const char *const all[] = {"documents:read", "records:read", "database:read", "messages:send",
                                      "records:write"};
    iv_json_open_list(j, "scopes");
    for (size_t i = 0; i < IV_COUNT(all); i++) {
        iv_json_text(j, NULL, all[i]);
    }
    iv_json_close_list(j);
}

typedef void (*data_fn)(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *step);

static void started(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *step)
{
    iv_json_text(j, "image_sha256", iv_sim_hex(w->seed, IV_SIM_IMAGE, 0, 0, 64).text);
    iv_json_text(j, "profile", "standard");
    iv_json_text(j, "version", "1.4.2");
    (void)step;
}

static void heartbeat(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *step)
{
    (void)w;
    (void)step;
    iv_json_text(j, "profile", "standard");
}

static void created(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *step)
{
    id(j, "enclave_id", w, IV_SIM_ENCLAVE, step, 0);
    iv_json_text(j, "image_sha256", iv_sim_hex(w->seed, IV_SIM_IMAGE, 0, 1, 64).text);
    hex(j, "key_fp", w, IV_SIM_KEY, step, 64);
    iv_json_text(j, "node", iv_sim_source(step->agent, IV_TELEMETRY).text + sizeof "/runtime");
    id(j, "token_id", w, IV_SIM_TOKEN, step, 0);
}

static void issued(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *step)
{
    id(j, "enclave_id", w, IV_SIM_ENCLAVE, step, 0);
    iv_json_time(j, "expires_at", step->session->expires);
    id(j, "request_id", w, IV_SIM_REQUEST, step, 0);
    all_scopes(j);
    iv_json_bool(j, "single_use", false);
    iv_json_int(j, "tier", 3);
    id(j, "token_id", w, IV_SIM_TOKEN, step, 0);
}

static void requested(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *step)
{
    hex(j, "args_sha384", w, IV_SIM_ARGS, step, 96);
    id(j, "request_id", w, IV_SIM_REQUEST, step, step->call);
    iv_json_text(j, "risk_tier", risk_of(step));
    scopes(j, w, step);
    iv_json_text(j, "tool", tools[tool_of(w, step)].name);
}

static const char *approver_of(unsigned approver)
{
    static const char *const names[] = {"approver-ada", "approver-grace"};
    return names[approver % IV_COUNT(names)];
}

static void approved(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *step)
{
    iv_json_text(j, "approver", approver_of(step->call / 16U));
    id(j, "request_id", w, IV_SIM_REQUEST, step, step->call & 15U);
}

/* A receipt without its signature, or with it: the signature is over the former. */
static void receipt(struct iv_buf *out, const struct iv_sim_world *w, const struct iv_sim_step *step,
                    const char *decision, const char *signature)
{
    struct iv_json json = iv_json_to(out);
    struct iv_json *j = &json;
    bool elevated = strcmp(risk_of(step), "high") == 0;
    iv_json_open_object(j, NULL);
    iv_json_text(j, "adapter", "mcp-gateway-2");
    iv_json_text(j, "agent", iv_sim_agent_name(step->agent).text);
    iv_json_open_list(j, "approvals");
    for (unsigned i = 0; elevated && i < 2; i++) {
        iv_json_text(j, NULL, approver_of(i));
    }
    iv_json_close_list(j);
    hex(j, "args_sha384", w, IV_SIM_ARGS, step, 96);
    iv_json_text(j, "decision", decision);
    iv_json_time(j, "issued_at", step->time);
    iv_json_text(j, "key_id", IV_SIM_ORCHESTRATOR_KEY);
    iv_json_time(j, "not_after", step->time + 60 * IV_NS_PER_S);
    iv_json_text(j, "policy_version", "2026.11");
    id(j, "receipt_id", w, IV_SIM_RECEIPT, step, step->call);
    id(j, "request_id", w, IV_SIM_REQUEST, step, step->call);
    iv_json_text(j, "risk_tier", risk_of(step));
    if (signature != NULL) {
        iv_json_text(j, "signature", signature);
    }
    iv_json_text(j, "tenant", iv_sim_tenant(step->agent->tenant).text);
    iv_json_text(j, "tool", tools[tool_of(w, step)].name);
    iv_json_close_object(j);
}

static void signed_receipt(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *step,
                           const char *decision)
{
    unsigned char signature[64];
    struct iv_buf text;
    iv_buf_clear(&w->receipt);
    receipt(&w->receipt, w, step, decision, NULL);
    iv_sign(signature, w->orchestrator, iv_buf_slice(&w->receipt));
    iv_buf_init(&text, 128);
    iv_base64_encode(&text, (struct iv_str){(const char *)signature, sizeof signature});
    iv_buf_clear(&w->receipt);
    receipt(&w->receipt, w, step, decision, text.p);
    iv_json_raw(j, "receipt", iv_buf_slice(&w->receipt));
    iv_buf_deinit(&text);
}

static void decided(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *step,
                    const char *decision)
{
    hex(j, "args_sha384", w, IV_SIM_ARGS, step, 96);
    iv_json_text(j, "decision", decision);
    iv_json_time(j, "not_after", step->time + 60 * IV_NS_PER_S);
    iv_json_text(j, "policy_version", "2026.11");
    signed_receipt(j, w, step, decision);
    id(j, "request_id", w, IV_SIM_REQUEST, step, step->call);
    iv_json_text(j, "risk_tier", risk_of(step));
    scopes(j, w, step);
    iv_json_text(j, "tool", tools[tool_of(w, step)].name);
}

static void authorized(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *step)
{
    decided(j, w, step, "allow");
}

static void denied(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *step)
{
    decided(j, w, step, "deny");
}

static void use_of(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *step,
                   enum iv_sim_sort token)
{
    size_t tool = tool_of(w, step);
    id(j, "enclave_id", w, IV_SIM_ENCLAVE, step, 0);
    iv_json_text(j, "endpoint", tools[tool].endpoint);
    id(j, "request_id", w, IV_SIM_REQUEST, step, step->call);
    iv_json_text(j, "scope", tools[tool].scope);
    id(j, "token_id", w, token, step, 0);
}

static void used(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *step)
{
    use_of(j, w, step, IV_SIM_TOKEN);
}

static void ghost_use(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *step)
{
    use_of(j, w, step, IV_SIM_GHOST);
}

static void executed(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *step)
{
    size_t tool = tool_of(w, step);
    hex(j, "args_sha384", w, IV_SIM_ARGS, step, 96);
    iv_json_text(j, "duration", "0.042s");
    id(j, "enclave_id", w, IV_SIM_ENCLAVE, step, 0);
    iv_json_text(j, "endpoint", tools[tool].endpoint);
    hex(j, "input_sha384", w, IV_SIM_INPUT, step, 96);
    iv_json_bool(j, "mutates", tools[tool].mutates);
    iv_json_text(j, "outcome", "success");
    hex(j, "output_sha384", w, IV_SIM_OUTPUT, step, 96);
    iv_json_int(j, "output_tier", 1);
    id(j, "request_id", w, IV_SIM_REQUEST, step, step->call);
    iv_json_text(j, "risk_tier", risk_of(step));
    id(j, "token_id", w, IV_SIM_TOKEN, step, 0);
    iv_json_text(j, "tool", tools[tool].name);
}

static void access_of(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *step,
                      enum iv_sim_sort enclave, uint32_t resource_tenant)
{
    struct iv_sim_name tenant = iv_sim_tenant(resource_tenant);
    char resource[160];
    int n = snprintf(resource, sizeof resource, "vector://%s/collections/knowledge/%llu", tenant.text,
                     (unsigned long long)(step->session->number % 97));
    iv_json_int(j, "bytes", (int64_t)(1024 + step->session->number % 4096));
    id(j, "enclave_id", w, enclave, step, 0);
    iv_json_text(j, "operation", "search");
    iv_json_bool(j, "personal_data", false);
    iv_json_str(j, "resource", (struct iv_str){resource, (size_t)n});
    iv_json_text(j, "resource_kind", "vector");
    iv_json_text(j, "resource_tenant", tenant.text);
    iv_json_int(j, "resource_tier", 1);
}

static void accessed(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *step)
{
    access_of(j, w, step, IV_SIM_ENCLAVE, step->agent->tenant);
}

static void foreign(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *step)
{
    access_of(j, w, step, IV_SIM_ENCLAVE, (step->agent->tenant + 1) % w->tenants);
}

static void ghost_access(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *step)
{
    access_of(j, w, step, IV_SIM_GHOST, step->agent->tenant);
}

static void egress(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *step)
{
    iv_json_int(j, "bytes", (int64_t)(512 + step->session->number % 2048));
    id(j, "enclave_id", w, IV_SIM_ENCLAVE, step, 0);
    iv_json_text(j, "host", "api.tools.internal");
    iv_json_int(j, "port", 443);
    iv_json_bool(j, "tls", true);
    iv_json_bool(j, "via_gateway", true);
}

static void inference(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *step)
{
    hex(j, "input_sha384", w, IV_SIM_INPUT, step, 96);
    iv_json_text(j, "model", "atlas-7b");
    hex(j, "output_sha384", w, IV_SIM_OUTPUT, step, 96);
    id(j, "request_id", w, IV_SIM_REQUEST, step, step->call);
    iv_json_int(j, "seed", 7);
}

static void sampled(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *step)
{
    iv_json_real(j, "cpu_percent", (double)(10 + step->session->number % 40));
    id(j, "enclave_id", w, IV_SIM_ENCLAVE, step, 0);
    iv_json_text(j, "profile", "standard");
    iv_json_real(j, "secure_storage_kb", 128);
    iv_json_real(j, "working_set_mb", (double)(64 + step->session->number % 64));
}

static void expired(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *step)
{
    id(j, "token_id", w, IV_SIM_TOKEN, step, 0);
}

static void revoked(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *step)
{
    iv_json_text(j, "reason", "work done");
    id(j, "token_id", w, IV_SIM_TOKEN, step, 0);
}

static void terminated(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *step)
{
    id(j, "enclave_id", w, IV_SIM_ENCLAVE, step, 0);
    iv_json_text(j, "reason", "work done");
}

static void shredded(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *step)
{
    id(j, "enclave_id", w, IV_SIM_ENCLAVE, step, 0);
    hex(j, "key_fp", w, IV_SIM_KEY, step, 64);
}

static const data_fn writers[IV_SIM_STEPS] = {
    [IV_SIM_STARTED] = started,
    [IV_SIM_HEARTBEAT] = heartbeat,
    [IV_SIM_CREATED] = created,
    [IV_SIM_ISSUED] = issued,
    [IV_SIM_REQUESTED] = requested,
    [IV_SIM_APPROVED] = approved,
    [IV_SIM_AUTHORIZED] = authorized,
    [IV_SIM_DENIED] = denied,
    [IV_SIM_USED] = used,
    [IV_SIM_EXECUTED] = executed,
    [IV_SIM_ACCESSED] = accessed,
    [IV_SIM_EGRESS] = egress,
    [IV_SIM_INFERENCE] = inference,
    [IV_SIM_SAMPLED] = sampled,
    [IV_SIM_EXPIRED] = expired,
    [IV_SIM_REVOKED] = revoked,
    [IV_SIM_TERMINATED] = terminated,
    [IV_SIM_SHREDDED] = shredded,
    [IV_SIM_FOREIGN] = foreign,
    [IV_SIM_GHOST_ACCESS] = ghost_access,
    [IV_SIM_GHOST_USE] = ghost_use,
};

void iv_sim_data(struct iv_buf *out, struct iv_sim_world *world, const struct iv_sim_step *step)
{
    struct iv_json j = iv_json_to(out);
    iv_json_open_object(&j, NULL);
    writers[step->kind](&j, world, step);
    iv_json_close_object(&j);
}
