/* SPDX-License-Identifier: Apache-2.0 */
/* Tool calls: asked for, decided, run; and the receipt of the decision.
 * Source: contract "Events", receipts and signatures. */
#include "app/sim/chance.h"
#include "app/sim/data.h"
#include "app/sim/tools.h"
#include "base/encode.h"
#include "base/guard.h"

#include <string.h>

static const char *risk_of(const struct iv_sim_step *s)
{
    return s->elevated ? "high" : "low";
}

static void scopes(struct iv_json *j, const struct iv_sim_step *s)
{
    iv_json_open_list(j, "scopes");
    iv_json_text(j, NULL, iv_sim_tools[s->tool].scope);
    iv_json_close_list(j);
}

static const char *approver_of(unsigned approver)
{
    static const char *const names[] = {"ada@ops.example", "grace@risk.example"};
    return names[approver % IV_COUNT(names)];
}

void iv_sim_write_requested(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    iv_sim_member_digest(j, "args_sha384", IV_DIGEST_ARGS, s->request, 96);
    iv_sim_member_id(j, "request_id", "req", s->request);
    iv_json_text(j, "risk_tier", risk_of(s));
    scopes(j, s);
    iv_json_text(j, "tool", iv_sim_tools[s->tool].name);
}

void iv_sim_write_approved(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    iv_json_text(j, "approver", s->variant == 1 ? "mallory@ops.example" : approver_of(s->approver));
    iv_sim_member_id(j, "request_id", "req", s->request);
}

/* What of the receipt stands before its signature. */
static void receipt_head(struct iv_json *j, const struct iv_sim_step *s)
{
    struct iv_sim_name agent = iv_sim_agent_name(s);
    iv_json_open_object(j, NULL);
    iv_json_text(j, "adapter", "mcp-gateway-2");
    iv_sim_member(j, "agent", &agent);
    iv_json_open_list(j, "approvals");
    for (unsigned i = 0; s->elevated && i < 2; i++) {
        iv_json_text(j, NULL, approver_of(i));
    }
    iv_json_close_list(j);
    iv_sim_member_digest(j, "args_sha384", IV_DIGEST_ARGS, s->request, 96);
    iv_json_text(j, "decision", s->denied ? "deny" : "allow");
    iv_json_time(j, "issued_at", s->time);
    iv_json_text(j, "key_id", IV_SIM_ORCHESTRATOR_KEY);
    iv_json_time(j, "not_after", s->until);
    iv_json_text(j, "policy_version", "2026.11");
    iv_sim_member_id(j, "receipt_id", "rcpt", iv_mix(s->request));
    iv_sim_member_id(j, "request_id", "req", s->request);
    iv_json_text(j, "risk_tier", risk_of(s));
}

static void receipt_tail(struct iv_json *j, const struct iv_sim_step *s)
{
    struct iv_sim_name tenant = iv_sim_tenant(s->agent->tenant);
    iv_sim_member(j, "tenant", &tenant);
    iv_json_text(j, "tool", iv_sim_tools[s->tool].name);
    iv_json_close_object(j);
}

enum { MISSING, ALTERED, STRANGE };

/* The signature is over the receipt without it; it stands between head and tail. */
static void signed_receipt(struct iv_json *out, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    bool bad = s->plant == IV_PLANT_bad_receipt;
    if (bad && s->variant == MISSING) {
        return;
    }
    unsigned char signature[64];
    iv_buf_clear(&w->receipt);
    struct iv_json j = iv_json_to(&w->receipt);
    receipt_head(&j, s);
    size_t head = w->receipt.n;
    receipt_tail(&j, s);
    iv_sign(signature, bad && s->variant == STRANGE ? w->stranger : w->orchestrator,
            iv_buf_slice(&w->receipt));
    signature[9] ^= bad && s->variant == ALTERED ? 4 : 0;
    iv_json_raw(out, "receipt", (struct iv_str){w->receipt.p, head});
    iv_buf_text(out->out, ",\"signature\":\"");
    iv_base64_encode(out->out, (struct iv_str){(const char *)signature, sizeof signature});
    iv_buf_char(out->out, '"');
    iv_buf_add(out->out, w->receipt.p + head, w->receipt.n - head);
    iv_buf_inherit(out->out, &w->receipt);
}

void iv_sim_write_authorized(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    iv_sim_member_digest(j, "args_sha384", IV_DIGEST_ARGS, s->request, 96);
    iv_json_text(j, "decision", s->denied ? "deny" : "allow");
    iv_json_time(j, "not_after", s->until);
    iv_json_text(j, "policy_version", "2026.11");
    signed_receipt(j, w, s);
    iv_sim_member_id(j, "request_id", "req", s->request);
    iv_json_text(j, "risk_tier", risk_of(s));
    scopes(j, s);
    iv_json_text(j, "tool", iv_sim_tools[s->tool].name);
}

void iv_sim_write_executed(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    const struct iv_sim_tool *tool = &iv_sim_tools[s->tool];
    (void)w;
    iv_sim_member_digest(j, "args_sha384",
                         s->plant == IV_PLANT_other_arguments ? IV_DIGEST_OTHER : IV_DIGEST_ARGS, s->request,
                         96);
    iv_json_text(j, "duration", "0.042s");
    if (s->enclave != 0) {
        iv_sim_member_id(j, "enclave_id", "enc", s->enclave);
    }
    iv_json_text(j, "endpoint", tool->endpoint);
    iv_json_bool(j, "mutates", tool->mutates);
    iv_json_text(j, "outcome", "success");
    iv_sim_member_digest(j, "output_sha384", IV_DIGEST_OUTPUT, s->request, 96);
    iv_json_int(j, "output_tier", s->tier);
    if (s->parent != IV_SIM_NO_TOOL) {
        iv_json_text(j, "parent_tool", iv_sim_tools[s->parent].name);
    }
    iv_sim_member_id(j, "request_id", "req", s->request);
    iv_json_text(j, "risk_tier", risk_of(s));
    if (s->token != 0) {
        iv_sim_member_id(j, "token_id", "tok", s->token);
    }
    iv_json_text(j, "tool", tool->name);
}

void iv_sim_write_flagged(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    static const char *const categories[] = {"pii", "prompt_injection", "secret"};
    (void)w;
    iv_json_bool(j, "blocked", s->plant != IV_PLANT_flagged_call);
    iv_json_text(j, "category", categories[iv_mix(s->id) % IV_COUNT(categories)]);
    iv_json_text(j, "detector", "payload-guard-3");
    iv_sim_member_id(j, "request_id", "req", s->request);
}

/* What is planted answers otherwise the second time, or close to what the baseline restricts. */
void iv_sim_write_inference(struct iv_json *j, struct iv_sim_world *w, const struct iv_sim_step *s)
{
    uint64_t chance = iv_mix(s->thing);
    bool close = s->plant == IV_PLANT_restricted_answer;
    (void)w;
    if (close || s->thing % 2 == 0) {
        iv_json_open_list(j, "embedding");
        iv_json_real(j, NULL, close ? 0.9 : (double)(chance % 61) / 100 - 0.3);
        iv_json_real(j, NULL, close ? 0.2 : (double)(chance >> 8 & 255) / 512 + 0.5);
        iv_json_real(j, NULL, (double)(chance >> 16 & 255) / 1024);
        iv_json_close_list(j);
    }
    iv_sim_member_digest(j, "input_sha384", IV_DIGEST_INPUT, s->thing, 96);
    iv_json_text(j, "model", "atlas-7b");
    iv_sim_member_digest(j, "output_sha384", s->variant == 0 ? IV_DIGEST_OUTPUT : IV_DIGEST_OTHER, s->thing,
                         96);
    iv_sim_member_id(j, "request_id", "req", s->request);
    iv_json_int(j, "seed", 7);
}
