/* SPDX-License-Identifier: Apache-2.0 */
/* Tool calls: asked for, decided, run; and the receipt of the decision.
 * Source: contract "Events", receipts and signatures. */
#include "base/guard.h"
#include "fleet/data.h"
#include "fleet/tools.h"

#define RECEIPT_BYTES 2048

static void put_request(struct iv_sim_text *t, const struct iv_sim_step *s)
{
    PUT(t, "\"request_id\":\"req-");
    iv_put_id(t, s->request);
    PUT(t, "\"");
}

static void put_args(struct iv_sim_text *t, const struct iv_sim_step *s)
{
    bool other = s->plant == IV_PLANT_other_arguments && s->kind == IV_STEP_executed;
    PUT(t, "\"args_sha384\":\"");
    iv_put_digest(t, other ? IV_DIGEST_OTHER : IV_DIGEST_ARGS, s->request, 96);
    PUT(t, "\"");
}

static void put_risk(struct iv_sim_text *t, const struct iv_sim_step *s)
{
    iv_put_text(t, s->elevated ? "\"risk_tier\":\"high\"" : "\"risk_tier\":\"low\"");
}

static void put_tool(struct iv_sim_text *t, const struct iv_sim_step *s)
{
    PUT(t, "\"tool\":\"");
    iv_put_text(t, iv_sim_tools[s->tool].name);
    PUT(t, "\"");
}

static void put_scopes(struct iv_sim_text *t, const struct iv_sim_step *s)
{
    PUT(t, "\"scopes\":[\"");
    iv_put_text(t, iv_sim_tools[s->tool].scope);
    PUT(t, "\"]");
}

static const char *approver_of(unsigned approver)
{
    static const char *const names[] = {"ada@ops.example", "grace@risk.example"};
    return names[approver % IV_COUNT(names)];
}

/* The call that is asked for, and that is decided about. */
static void put_call(struct iv_sim_text *t, const struct iv_sim_step *s)
{
    put_request(t, s);
    PUT(t, ",");
    put_risk(t, s);
    PUT(t, ",");
    put_scopes(t, s);
    PUT(t, ",");
    put_tool(t, s);
}

void iv_sim_write_requested(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    put_args(t, s);
    PUT(t, ",");
    put_call(t, s);
}

void iv_sim_write_approved(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    (void)w;
    PUT(t, "\"approver\":\"");
    iv_put_text(t, approver_of(s->approver));
    PUT(t, "\",");
    put_request(t, s);
}

static void put_decision(struct iv_sim_text *t, const struct iv_sim_step *s)
{
    iv_put_text(t, s->denied ? "\"decision\":\"deny\"" : "\"decision\":\"allow\"");
}

static void put_until(struct iv_sim_text *t, const struct iv_sim_step *s)
{
    PUT(t, "\"not_after\":\"");
    iv_put_time(t, s->until);
    PUT(t, "\"");
}

/* What of the receipt stands before its signature. */
static void put_receipt_head(struct iv_sim_text *t, const struct iv_sim_step *s)
{
    PUT(t, "{\"adapter\":\"mcp-gateway-2\",\"agent\":\"");
    iv_sim_write_agent(t, s);
    PUT(t, "\",\"approvals\":[");
    for (unsigned i = 0; s->elevated && i < 2; i++) {
        iv_put_text(t, i == 0 ? "\"" : ",\"");
        iv_put_text(t, approver_of(i));
        PUT(t, "\"");
    }
    PUT(t, "],");
    put_args(t, s);
    PUT(t, ",");
    put_decision(t, s);
    PUT(t, ",\"issued_at\":\"");
    iv_put_time(t, s->time);
    PUT(t, "\",\"key_id\":\"" IV_SIM_ORCHESTRATOR_KEY "\",");
    put_until(t, s);
    PUT(t, ",\"policy_version\":\"2026.11\",\"receipt_id\":\"rcpt-");
    iv_put_id(t, iv_mix(s->request));
    PUT(t, "\",");
    put_request(t, s);
    PUT(t, ",");
    put_risk(t, s);
}

static void put_receipt_tail(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    PUT(t, ",\"tenant\":\"");
    iv_put_name(t, &w->tenant[s->agent->tenant]);
    PUT(t, "\",");
    put_tool(t, s);
    PUT(t, "}");
}

enum { MISSING, ALTERED, STRANGE };

/* The signature is over the receipt without it; it stands between head and tail. */
static void put_receipt(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    bool bad = s->plant == IV_PLANT_bad_receipt;
    char receipt[RECEIPT_BYTES];
    unsigned char signature[64];
    struct iv_sim_text unsigned_text = {receipt};
    put_receipt_head(&unsigned_text, s);
    size_t head = (size_t)(unsigned_text.p - receipt);
    put_receipt_tail(&unsigned_text, w, s);
    size_t all = (size_t)(unsigned_text.p - receipt);
    IV_CHECK(all <= sizeof receipt);
    iv_sign(signature, bad && s->variant == STRANGE ? w->stranger : w->orchestrator,
            (struct iv_str){receipt, all});
    signature[9] ^= bad && s->variant == ALTERED ? 4 : 0;
    PUT(t, "\"receipt\":");
    iv_put(t, receipt, head);
    PUT(t, ",\"signature\":\"");
    iv_put_base64(t, signature, sizeof signature);
    PUT(t, "\"");
    iv_put(t, receipt + head, all - head);
    PUT(t, ",");
}

void iv_sim_write_authorized(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    put_args(t, s);
    PUT(t, ",");
    put_decision(t, s);
    PUT(t, ",");
    put_until(t, s);
    PUT(t, ",\"policy_version\":\"2026.11\",");
    if (s->plant != IV_PLANT_bad_receipt || s->variant != MISSING) {
        put_receipt(t, w, s);
    }
    put_call(t, s);
}

void iv_sim_write_executed(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    const struct iv_sim_tool *tool = &iv_sim_tools[s->tool];
    (void)w;
    put_args(t, s);
    PUT(t, ",\"duration\":\"0.042s\",\"enclave_id\":\"enc-");
    iv_put_id(t, s->enclave);
    PUT(t, "\",\"endpoint\":\"");
    iv_put_text(t, tool->endpoint);
    iv_put_text(t, tool->mutates ? "\",\"mutates\":true" : "\",\"mutates\":false");
    PUT(t, ",\"outcome\":\"success\",\"output_sha384\":\"");
    iv_put_digest(t, IV_DIGEST_OUTPUT, s->request, 96);
    PUT(t, "\",\"output_tier\":");
    iv_put_int(t, s->tier);
    if (s->parent != IV_SIM_NO_TOOL) {
        PUT(t, ",\"parent_tool\":\"");
        iv_put_text(t, iv_sim_tools[s->parent].name);
        PUT(t, "\"");
    }
    PUT(t, ",");
    put_request(t, s);
    PUT(t, ",");
    put_risk(t, s);
    if (s->token != 0) {
        PUT(t, ",\"token_id\":\"tok-");
        iv_put_id(t, s->token);
        PUT(t, "\"");
    }
    PUT(t, ",");
    put_tool(t, s);
}

void iv_sim_write_flagged(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    static const char *const categories[] = {"pii", "prompt_injection", "secret"};
    (void)w;
    iv_put_text(t, s->plant == IV_PLANT_flagged_call ? "\"blocked\":false" : "\"blocked\":true");
    PUT(t, ",\"category\":\"");
    iv_put_text(t, categories[iv_mix(s->id) % IV_COUNT(categories)]);
    PUT(t, "\",\"detector\":\"payload-guard-3\",");
    put_request(t, s);
}

/* 0.ab1: three digits, of which the last is never 0, are the shortest form. */
static void put_component(struct iv_sim_text *t, uint64_t hundredths)
{
    PUT(t, "0.");
    *t->p++ = (char)('0' + hundredths / 10 % 10);
    *t->p++ = (char)('0' + hundredths % 10);
    PUT(t, "1");
}

/* Far from what the baseline restricts, which is the first axis; or close to it. */
static void put_embedding(struct iv_sim_text *t, uint64_t chance, bool close)
{
    iv_put_text(t, !close && chance % 2 == 0 ? "\"embedding\":[-" : "\"embedding\":[");
    put_component(t, close ? 90 : (chance >> 1) % 30);
    PUT(t, ",");
    put_component(t, close ? 20 : 50 + (chance >> 8) % 50);
    PUT(t, ",");
    put_component(t, (chance >> 16) % 30);
    PUT(t, "],");
}

/* What is planted answers otherwise the second time, or close to what the baseline restricts. */
void iv_sim_write_inference(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s)
{
    bool close = s->plant == IV_PLANT_restricted_answer;
    (void)w;
    if (close || s->thing % 2 == 0) {
        put_embedding(t, iv_mix(s->thing), close);
    }
    PUT(t, "\"input_sha384\":\"");
    iv_put_digest(t, IV_DIGEST_INPUT, s->thing, 96);
    PUT(t, "\",\"model\":\"atlas-7b\",\"output_sha384\":\"");
    iv_put_digest(t, s->variant == 0 ? IV_DIGEST_OUTPUT : IV_DIGEST_OTHER, s->thing, 96);
    PUT(t, "\",");
    put_request(t, s);
    PUT(t, ",\"seed\":7");
}
