/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/session.h"
#include "base/guard.h"
#include "fleet/figures.h"
#include "fleet/tools.h"
#include "fleet/upkeep.h"

#define CALLS_MAX 4
#define TOKEN_TIER 3

struct course {
    struct iv_sim_draft *draft;
    uint64_t enclave;
    uint64_t token;
    uint8_t tool; /* of the last call that ran */
    iv_ns now;
};

static void pass(struct course *c, int64_t low_ms, int64_t high_ms)
{
    c->now += iv_chance_between(c->draft->chance, low_ms, high_ms) * MS;
}

static bool once_in(struct course *c, uint64_t n)
{
    return iv_chance_below(c->draft->chance, n) == 0;
}

/* A step of the session's own enclave and token. */
static struct iv_sim_step *add(struct course *c, enum iv_step_kind kind)
{
    struct iv_sim_step *step = iv_sim_draft_add(c->draft, kind, c->now);
    step->enclave = c->enclave;
    step->token = c->token;
    return step;
}

static struct iv_sim_step *add_of_call(struct course *c, enum iv_step_kind kind,
                                       const struct iv_sim_step *call)
{
    struct iv_sim_step *step = add(c, kind);
    step->request = call->request;
    step->tool = call->tool;
    step->parent = call->parent;
    step->elevated = call->elevated;
    return step;
}

/* Asked for, flagged, refused; nothing runs. */
static void refused_call(struct course *c, const struct iv_sim_step *call)
{
    if (once_in(c, 2)) {
        pass(c, 1, 5);
        add_of_call(c, IV_STEP_flagged, call);
    }
    pass(c, 3, 20);
    struct iv_sim_step *verdict = add_of_call(c, IV_STEP_authorized, call);
    verdict->denied = true;
    verdict->until = verdict->time + 60 * S;
}

/* Now and then a call has a token for itself. */
static uint64_t token_of_call(struct course *c, const struct iv_sim_step *call)
{
    if (!once_in(c, 12)) {
        return c->token;
    }
    struct iv_sim_step *issued = add_of_call(c, IV_STEP_issued, call);
    issued->token = iv_sim_draft_number(c->draft);
    issued->enclave = 0;
    issued->until = c->now + 5 * S;
    issued->tier = TOKEN_TIER;
    issued->single_use = true;
    issued->aside = true;
    struct iv_sim_step *revoked = add_of_call(c, IV_STEP_revoked, call);
    revoked->token = issued->token;
    revoked->time = c->now + 800 * MS;
    revoked->aside = true;
    pass(c, 2, 20);
    return issued->token;
}

static void access_resources(struct course *c, const struct iv_sim_step *call)
{
    unsigned count = 1 + (unsigned)iv_chance_below(c->draft->chance, 4);
    for (unsigned i = 0; i < count; i++) {
        pass(c, 4, 40);
        struct iv_sim_step *access = add_of_call(c, IV_STEP_accessed, call);
        access->tier = (uint8_t)(1 + iv_chance_below(c->draft->chance, TOKEN_TIER));
        access->personal = once_in(c, 6);
        access->variant = (uint8_t)iv_chance_below(c->draft->chance, 2);
    }
}

static void infer(struct course *c, const struct iv_sim_step *call)
{
    pass(c, 50, 400);
    struct iv_sim_step *answer = add_of_call(c, IV_STEP_inference, call);
    /* Some prompts come again and again, and are answered in the same way. */
    answer->thing = once_in(c, 8) ? 1 + iv_chance_below(c->draft->chance, 500) : answer->id;
}

/* One tool call: asked for, approved where the tool is elevated, authorised, run. */
static void make_call(struct course *c)
{
    struct iv_sim_step *call = add(c, IV_STEP_requested);
    call->request = iv_sim_draft_number(c->draft);
    call->tool = (uint8_t)iv_chance_below(c->draft->chance, IV_SIM_TOOLS);
    call->parent = iv_sim_tool_calls(c->tool, call->tool) ? c->tool : IV_SIM_NO_TOOL;
    call->elevated = once_in(c, 20);
    pass(c, 5, 40);
    if (once_in(c, 25)) {
        refused_call(c, call);
        pass(c, 50, 600);
        return;
    }
    for (unsigned approver = 0; call->elevated && approver < 2; approver++) {
        pass(c, 20, 200);
        add_of_call(c, IV_STEP_approved, call)->approver = (uint8_t)approver;
    }
    pass(c, 3, 20);
    struct iv_sim_step *leave = add_of_call(c, IV_STEP_authorized, call);
    leave->until = leave->time + 60 * S;
    pass(c, 10, 60);
    uint64_t token = token_of_call(c, call);
    struct iv_sim_step *use = add_of_call(c, IV_STEP_used, call);
    use->token = token;
    use->aside = token != c->token;
    pass(c, 5, 50);
    add_of_call(c, IV_STEP_executed, call)->tier = 1;
    c->tool = call->tool;
    access_resources(c, call);
    if (once_in(c, 3)) {
        pass(c, 5, 50);
        add_of_call(c, IV_STEP_egress, call);
    }
    if (once_in(c, 2)) {
        infer(c, call);
    }
    pass(c, 50, 600);
}

/* The token outlives the work a little; a fifth of them is revoked when the work is done. */
static void end_token(struct course *c)
{
    iv_ns work_ends = c->now;
    iv_ns expires = c->draft->facts.expires = c->now + iv_chance_between(c->draft->chance, 3000, 9000) * MS;
    if (once_in(c, 5)) {
        pass(c, 5, 60);
        add(c, IV_STEP_revoked);
    } else {
        c->now = expires + iv_chance_between(c->draft->chance, 0, 200) * MS;
        add(c, IV_STEP_expired);
    }
    c->now = work_ends;
}

static void begin_session(struct course *c)
{
    struct iv_sim_facts *facts = &c->draft->facts;
    facts->enclave = c->enclave = iv_sim_draft_number(c->draft);
    facts->token = c->token = iv_sim_draft_number(c->draft);
    struct iv_sim_step *created = add(c, IV_STEP_created);
    created->thing = c->enclave;
    facts->created = iv_sim_ref_of(created);
    pass(c, 2, 20);
    struct iv_sim_step *issued = add(c, IV_STEP_issued);
    issued->tier = TOKEN_TIER;
    issued->request = iv_sim_draft_number(c->draft);
    facts->issued = iv_sim_ref_of(issued);
    pass(c, 10, 100);
}

struct iv_sim_session iv_sim_session_draft(struct iv_sim_draft *draft, iv_ns begin)
{
    struct course course = {.draft = draft, .tool = IV_SIM_NO_TOOL, .now = begin};
    struct course *c = &course;
    begin_session(c);
    size_t issued = draft->count - 1;
    unsigned calls = 1 + (unsigned)iv_chance_below(draft->chance, CALLS_MAX);
    for (unsigned i = 0; i < calls; i++) {
        make_call(c);
    }
    if (once_in(c, 4)) {
        add(c, IV_STEP_sampled);
    }
    end_token(c);
    draft->steps[issued].until = draft->facts.expires;
    pass(c, 100, 300);
    add(c, IV_STEP_terminated);
    iv_ns ended = c->now;
    pass(c, 20, 800);
    add(c, IV_STEP_shredded)->thing = c->enclave;
    iv_sim_upkeep(draft, begin);
    c->now = ended;
    pass(c, 2000, 24000);
    return (struct iv_sim_session){.over = c->now, .stopping = once_in(c, 40)};
}
