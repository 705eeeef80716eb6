/* SPDX-License-Identifier: Apache-2.0 */
#include "app/sim/fleet.h"
#include "app/sim/agenda.h"
#include "app/sim/ledger.h"
#include "app/sim/names.h"
#include "app/sim/step_data.h"
#include "base/alloc.h"
#include "base/encode.h"
#include "base/guard.h"

#define MS IV_NS_PER_MS
#define HEARTBEAT_EVERY (10 * IV_NS_PER_S)
#define SKEW IV_NS_PER_S        /* baseline.token.skew of the shipped baseline */
#define EVENTS_PER_SESSION 22.0 /* about; turns a rate by event into one by session */
#define AGENTS_PER_TENANT 8
#define EVENT_MAX_BYTES ((size_t)64 * 1024)

struct iv_fleet {
    struct iv_fleet_options options;
    iv_fleet_plant_fn planted;
    void *ctx;
    struct iv_chance chance;
    struct iv_sim_world world;
    struct iv_sim_agent *agents;
    struct iv_sim_ledgers *ledgers;
    struct iv_sim_agenda happening; /* by time */
    struct iv_sim_agenda delayed;   /* has happened, not yet arrived: by arrival */
    uint64_t sessions;
    uint64_t orders;
    iv_ns now;
    uint64_t happened; /* events; marks are none */
    struct iv_buf json;
    struct iv_sim_name tenant;
};

static iv_rc schedule(struct iv_fleet *f, struct iv_sim_step *step, struct iv_err *err)
{
    step->order = f->orders++;
    return iv_sim_agenda_add(&f->happening, step, err);
}

static enum iv_plant_kind choose_plant(struct iv_fleet *f)
{
    if (iv_chance_share(&f->chance) >= f->options.violations * EVENTS_PER_SESSION) {
        return IV_PLANT_NONE;
    }
    return (enum iv_plant_kind)(1 + iv_chance_below(&f->chance, IV_PLANTS - 1));
}

static iv_rc begin_session(struct iv_fleet *f, const struct iv_sim_agent *agent, iv_ns begin,
                           struct iv_err *err)
{
    struct iv_sim_plan plan;
    struct iv_sim_session *s = iv_calloc(1, sizeof *s);
    ENSURE(s != NULL, err, IV_E_NOMEM, "cannot allocate a session of the fleet");
    s->number = f->sessions++;
    s->agent = agent;
    s->begin = begin;
    s->plant = choose_plant(f);
    iv_sim_session_plan(&plan, s, &f->chance);
    for (size_t i = 0; i < plan.count; i++) {
        plan.steps[i].session = s;
    }
    s->steps_left = (uint32_t)plan.count + 1;
    for (size_t i = 0; i < plan.count; i++) {
        TRY(schedule(f, &plan.steps[i], err));
    }
    /* The next session begins with a mark of its own, which is no event. */
    struct iv_sim_step mark = {.time = plan.end, .kind = IV_SIM_STEPS, .agent = agent, .session = s};
    return schedule(f, &mark, err);
}

static void leave_session(struct iv_sim_session *s)
{
    if (s != NULL && --s->steps_left == 0) {
        iv_free(s);
    }
}

/* An agent starts somewhere in the first ten seconds, and beats from then on. */
static iv_rc begin_agent(struct iv_fleet *f, const struct iv_sim_agent *agent, struct iv_err *err)
{
    iv_ns begin = f->options.start + iv_chance_between(&f->chance, 0, 10000) * MS;
    struct iv_sim_step started = {.time = begin, .kind = IV_SIM_STARTED, .agent = agent};
    struct iv_sim_step beat = {.time = begin + HEARTBEAT_EVERY, .kind = IV_SIM_HEARTBEAT, .agent = agent};
    TRY(schedule(f, &started, err));
    TRY(schedule(f, &beat, err));
    return begin_session(f, agent, begin + iv_chance_between(&f->chance, 5, 3000) * MS, err);
}

/* One in ten telemetry events is delayed on its way; the ledger's order is that of its times. */
static iv_ns arrival_of(struct iv_fleet *f, const struct iv_sim_step *step)
{
    if (iv_sim_stream(step->kind) == IV_LEDGER || iv_chance_below(&f->chance, 10) != 0) {
        return step->time;
    }
    return step->time + iv_chance_between(&f->chance, 1, IV_FLEET_DELAY / MS) * MS;
}

/* Lets the next thing happen: an event goes on its way, a mark begins the agent's next session. */
static iv_rc happen(struct iv_fleet *f, struct iv_err *err)
{
    struct iv_sim_step step = iv_sim_agenda_take(&f->happening);
    if (step.kind == IV_SIM_STEPS) {
        const struct iv_sim_agent *agent = step.agent;
        leave_session(step.session);
        return begin_session(f, agent, step.time, err);
    }
    f->now = step.time;
    f->happened++;
    if (step.kind == IV_SIM_HEARTBEAT) {
        struct iv_sim_step next = step;
        next.time += HEARTBEAT_EVERY;
        TRY(schedule(f, &next, err));
    }
    step.arrival = arrival_of(f, &step);
    return iv_sim_agenda_add(&f->delayed, &step, err);
}

static void tell_plants(struct iv_fleet *f, const struct iv_sim_step *step)
{
    struct iv_sim_name source = iv_sim_source(step->agent, iv_sim_stream(step->kind));
    struct iv_sim_name id = iv_sim_event_id(f->options.seed, step);
    for (const struct iv_sim_breach *b = step->breaches; b != NULL && b->rule != NULL; b++) {
        struct iv_sim_step witness = {
            .kind = b->witness, .call = b->witness_call, .agent = step->agent, .session = step->session};
        struct iv_sim_name witness_source = iv_sim_source(step->agent, iv_sim_stream(b->witness));
        struct iv_sim_name witness_id = iv_sim_event_id(f->options.seed, &witness);
        struct iv_fleet_plant plant = {
            .rule = iv_str_of(b->rule),
            .trigger = {iv_str_of(source.text), iv_str_of(id.text)},
            .time = step->time,
            .witness = {iv_str_of(witness_source.text), iv_str_of(witness_id.text)},
            .witness_count = b->has_witness ? 1 : 0,
            .deadline = b->until_expiry ? step->session->expires + SKEW : step->time,
        };
        f->planted(f->ctx, &plant);
    }
}

iv_rc iv_fleet_next(struct iv_fleet *f, struct iv_fleet_event *out, struct iv_err *err)
{
    for (;;) {
        const struct iv_sim_step *next = iv_sim_agenda_top(&f->happening);
        const struct iv_sim_step *arriving = iv_sim_agenda_top(&f->delayed);
        bool more = next != NULL && (f->options.events == 0 || f->happened < f->options.events);
        if (arriving != NULL && (!more || arriving->arrival <= next->time)) {
            break;
        }
        ENSURE(more, err, IV_E_ABSENT, "all that happened has arrived");
        TRY(happen(f, err));
    }
    struct iv_sim_step step = iv_sim_agenda_take(&f->delayed);
    iv_buf_clear(&f->json);
    TRY(iv_sim_write_event(&f->json, f->ledgers, &f->world, &step, err));
    if (step.breaches != NULL && f->planted != NULL) {
        tell_plants(f, &step);
    }
    f->tenant = iv_sim_tenant(step.agent->tenant);
    *out = (struct iv_fleet_event){.stream = iv_sim_stream(step.kind),
                                   .time = step.time,
                                   .arrival = step.arrival,
                                   .tenant = iv_str_of(f->tenant.text),
                                   .json = iv_buf_slice(&f->json)};
    leave_session(step.session);
    return IV_OK;
}

iv_ns iv_fleet_time(const struct iv_fleet *fleet)
{
    return fleet->now;
}

static void free_steps(struct iv_sim_agenda *agenda)
{
    for (size_t i = 0; i < agenda->count; i++) {
        leave_session(agenda->steps[i].session);
    }
    iv_sim_agenda_deinit(agenda);
}

void iv_fleet_free(struct iv_fleet *fleet)
{
    if (fleet == NULL) {
        return;
    }
    free_steps(&fleet->happening);
    free_steps(&fleet->delayed);
    iv_sim_ledgers_free(fleet->ledgers);
    iv_signer_free(fleet->world.orchestrator);
    iv_buf_deinit(&fleet->world.receipt);
    iv_buf_deinit(&fleet->json);
    iv_free(fleet->agents);
    iv_free(fleet);
}

void iv_fleet_freep(struct iv_fleet **fleet)
{
    iv_fleet_free(*fleet);
}

static iv_rc begin_fleet(struct iv_fleet *f, struct iv_err *err)
{
    unsigned char key[32];
    for (size_t i = 0; i < sizeof key; i++) {
        key[i] = (unsigned char)iv_mix(f->options.seed * 64 + i);
    }
    f->world.seed = f->options.seed;
    f->world.tenants = f->options.agents / AGENTS_PER_TENANT < 2 ? 2 : f->options.agents / AGENTS_PER_TENANT;
    f->world.tenants = f->world.tenants > 64 ? 64 : f->world.tenants;
    TRY(iv_signer_of_seed(&f->world.orchestrator, key, err));
    TRY(iv_sim_ledgers_new(&f->ledgers, f->world.tenants, err));
    f->agents = iv_calloc(f->options.agents, sizeof *f->agents);
    ENSURE(f->agents != NULL, err, IV_E_NOMEM, "cannot allocate %u agents", f->options.agents);
    for (unsigned i = 0; i < f->options.agents; i++) {
        f->agents[i] = (struct iv_sim_agent){.number = i, .tenant = i % f->world.tenants};
        TRY(begin_agent(f, &f->agents[i], err));
    }
    return IV_OK;
}

iv_rc iv_fleet_new(struct iv_fleet **out, const struct iv_fleet_options *options, iv_fleet_plant_fn planted,
                   void *ctx, struct iv_err *err)
{
    IV_AUTO(iv_fleet_freep) struct iv_fleet *f = iv_calloc(1, sizeof *f);
    ENSURE(f != NULL, err, IV_E_NOMEM, "cannot allocate a fleet");
    f->options = *options;
    f->planted = planted;
    f->ctx = ctx;
    f->chance.state = iv_mix(options->seed);
    f->delayed.by_arrival = true;
    f->now = options->start;
    iv_buf_init(&f->json, EVENT_MAX_BYTES);
    iv_buf_init(&f->world.receipt, EVENT_MAX_BYTES);
    TRY(begin_fleet(f, err));
    *out = TAKE(f);
    return IV_OK;
}

iv_rc iv_fleet_keys_yaml(struct iv_buf *out, const struct iv_fleet *fleet, struct iv_err *err)
{
    unsigned char public_key[32];
    iv_signer_public_bytes(public_key, fleet->world.orchestrator);
    iv_buf_text(out, "keys:\n- {id: " IV_SIM_ORCHESTRATOR_KEY ", role: orchestrator, public_key: \"");
    iv_base64_encode(out, (struct iv_str){(const char *)public_key, sizeof public_key});
    iv_buf_text(out, "\"}\n");
    ENSURE(!iv_buf_failed(out), err, IV_E_NOMEM, "cannot write the fleet's keys");
    return IV_OK;
}
