/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/fleet.h"
#include "base/alloc.h"
#include "base/encode.h"
#include "base/guard.h"
#include "fleet/agenda.h"
#include "fleet/figures.h"
#include "fleet/history.h"
#include "fleet/ledger.h"
#include "fleet/names.h"
#include "fleet/owners.h"
#include "fleet/quota.h"
#include "fleet/session.h"

#include <stdlib.h>
#include <string.h>

#define AGENTS_PER_TENANT 20
#define CHECKPOINT_EVERY 256 /* events of a log */
#define REVOKED_MAX 4096     /* tokens live for seconds: of more, the oldest are forgotten */

/* What stands in the agenda, and what date.what is then. */
enum date_kind {
    START,   /* agent */
    BEAT,    /* agent */
    STOP,    /* agent */
    SESSION, /* agent */
    PLAN,    /* plan */
    PAST,    /* nothing: the next of the history */
};

struct iv_fleet {
    struct iv_fleet_options options;
    iv_fleet_plant_fn planted;
    void *ctx;
    struct iv_chance chance;
    struct iv_sim_agent *agents;
    struct iv_sim_agenda agenda;
    struct iv_sim_agenda delayed; /* steps on their way, by arrival */
    struct iv_sim_draft draft;    /* scratch */
    struct iv_sim_quota quota;
    struct iv_sim_history history;
    struct iv_sim_world world;
    struct iv_sim_ledgers *ledgers;
    uint32_t unsealed[IV_SIM_TENANTS_MAX]; /* events of each tenant's log since its last checkpoint */
    uint64_t orders;
    uint32_t aliases;
    iv_ns now;
    uint64_t happened; /* events */
    uint64_t revoked[REVOKED_MAX];
    size_t revoked_count; /* ever */
    struct iv_sim_owners owners;
    char event[IV_SIM_EVENT_BYTES];
};

static iv_rc enter(struct iv_fleet *f, enum date_kind kind, iv_ns time, void *what, struct iv_err *err)
{
    struct iv_sim_date date = {.time = time, .order = f->orders++, .what = what, .kind = (int)kind};
    return iv_sim_agenda_add(&f->agenda, &date, err);
}

static void begin_draft(struct iv_fleet *f, const struct iv_sim_agent *agent)
{
    iv_sim_draft_begin(&f->draft, f->options.seed, f->orders++, agent, &f->chance);
}

/* Makes the draft a plan and enters its first step. */
static iv_rc enter_draft(struct iv_fleet *f, bool hosts, struct iv_err *err)
{
    struct iv_sim_plan *plan = NULL;
    TRY(iv_sim_plan_of(&plan, &f->draft, err));
    plan->hosts = hosts;
    iv_sim_owners_note(&f->owners, &f->draft);
    struct iv_rc_s rc = enter(f, PLAN, plan->steps[0].time, plan, err);
    if (!iv_ok(rc)) {
        iv_free(plan);
    }
    return rc;
}

static iv_rc begin_session(struct iv_fleet *f, struct iv_sim_agent *agent, iv_ns begin, struct iv_err *err)
{
    begin_draft(f, agent);
    struct iv_sim_session session = iv_sim_session_draft(&f->draft, begin);
    TRY(enter_draft(f, true, err));
    return enter(f, session.stopping ? STOP : SESSION, session.over, agent, err);
}

/* Something the agent does of itself, not in a session. */
static struct iv_sim_step lone_step(struct iv_fleet *f, const struct iv_sim_agent *agent,
                                    enum iv_step_kind kind, iv_ns time)
{
    begin_draft(f, agent);
    return *iv_sim_draft_add(&f->draft, kind, time);
}

static iv_rc start_agent(struct iv_fleet *f, struct iv_sim_agent *agent, iv_ns time, struct iv_err *err)
{
    agent->next_beat = time + HEARTBEAT_EVERY;
    TRY(enter(f, BEAT, agent->next_beat, agent, err));
    return enter(f, SESSION, time + iv_chance_between(&f->chance, 5, 3000) * MS, agent, err);
}

static iv_rc plant_case(struct iv_fleet *f, struct iv_sim_case *c, const struct iv_sim_agent *agent,
                        struct iv_err *err)
{
    begin_draft(f, agent);
    c->draft = &f->draft;
    c->alias = ++f->aliases;
    iv_plant_kinds[c->plant].plant(c);
    return enter_draft(f, false, err);
}

/* While the session works, its enclave and its token live for at least 50ms more. */
static bool works(const struct iv_sim_step *step)
{
    switch (step->kind) {
    case IV_STEP_requested:
    case IV_STEP_authorized:
    case IV_STEP_used:
    case IV_STEP_executed:
    case IV_STEP_accessed:
    case IV_STEP_egress:
    case IV_STEP_inference:
        return true;
    default:
        return false;
    }
}

static iv_rc plant_beside(struct iv_fleet *f, const struct iv_sim_step *host,
                          const struct iv_sim_facts *facts, struct iv_err *err)
{
    bool working = facts != NULL && works(host);
    uint64_t used = 0;
    f->quota.happened++;
    while (!host->aside) {
        enum iv_plant_id plant = iv_sim_quota_next(&f->quota, host, working, used, &f->chance);
        if (plant == IV_PLANT_none) {
            break;
        }
        bool needs =
            iv_plant_kinds[plant].host > IV_HOST_work && iv_plant_kinds[plant].host < IV_HOST_absence;
        struct iv_sim_case c = {
            .plant = plant, .at = host->time, .host = host, .facts = working || needs ? facts : NULL};
        used |= UINT64_C(1) << plant;
        TRY(plant_case(f, &c, host->agent, err));
    }
    return IV_OK;
}

static struct iv_fleet_ref ref_of(const struct iv_sim_agent *agent, const struct iv_sim_ref *ref,
                                  struct iv_sim_name names[2])
{
    names[0] = iv_sim_source(agent, ref->stream);
    names[1] = iv_sim_event_id(ref->id);
    return (struct iv_fleet_ref){iv_sim_str(&names[0]), iv_sim_str(&names[1])};
}

static void tell(struct iv_fleet *f, const struct iv_sim_breach *b, const struct iv_sim_agent *agent)
{
    struct iv_sim_name names[IV_SIM_WITNESSES_MAX + 1][2];
    struct iv_fleet_ref witnesses[IV_SIM_WITNESSES_MAX];
    for (size_t i = 0; i < b->witness_count; i++) {
        witnesses[i] = ref_of(agent, &b->witnesses[i], names[i]);
    }
    struct iv_fleet_plant plant = {.rule = iv_str_of(b->rule),
                                   .trigger = ref_of(agent, &b->trigger, names[IV_SIM_WITNESSES_MAX]),
                                   .time = b->time,
                                   .witnesses = witnesses,
                                   .witness_count = b->witness_count,
                                   .absence = b->deadline > b->proven,
                                   .deadline = b->deadline};
    f->planted(f->ctx, &plant);
}

static void tell_breaches(struct iv_fleet *f, const struct iv_sim_plan *plan, const struct iv_sim_step *step)
{
    for (size_t i = 0; i < plan->breach_count && f->planted != NULL; i++) {
        const struct iv_sim_breach *b = &plan->breaches[i];
        if (b->proof == step->id && b->proven == step->time) {
            tell(f, b, step->agent);
        }
    }
}

static bool is_refused(const struct iv_fleet *f, const struct iv_sim_step *step)
{
    size_t known = f->revoked_count < REVOKED_MAX ? f->revoked_count : REVOKED_MAX;
    for (size_t i = 0; step->kind == IV_STEP_used && i < known; i++) {
        if (f->revoked[i] == step->token) {
            return true;
        }
    }
    return false;
}

/* Every so often a log gets a checkpoint. */
static iv_rc seal(struct iv_fleet *f, const struct iv_sim_step *step, struct iv_err *err)
{
    uint32_t *unsealed = &f->unsealed[step->agent->tenant];
    if (iv_sim_stream((enum iv_step_kind)step->kind) != IV_LEDGER || ++*unsealed < CHECKPOINT_EVERY) {
        return IV_OK;
    }
    *unsealed = 0;
    begin_draft(f, step->agent);
    iv_sim_draft_add(&f->draft, IV_STEP_checkpoint, step->time + 1 * MS);
    return enter_draft(f, false, err);
}

/* What stands beside a step that happens, or would have. */
static iv_rc accompany(struct iv_fleet *f, const struct iv_sim_plan *plan, const struct iv_sim_step *step,
                       bool happens, struct iv_err *err)
{
    if (!happens) {
        return IV_OK;
    }
    tell_breaches(f, plan, step);
    TRY(seal(f, step, err));
    if (plan->hosts) {
        return plant_beside(f, step, &plan->facts, err);
    }
    f->quota.happened += step->time >= f->options.start ? 1 : 0;
    return IV_OK;
}

/* The plan's next step; frees the plan with its last. */
static iv_rc step_of_plan(struct iv_fleet *f, struct iv_sim_step *out, bool *happens,
                          const struct iv_sim_date *date, struct iv_err *err)
{
    struct iv_sim_plan *plan = date->what;
    *out = plan->steps[plan->next++];
    *happens = !is_refused(f, out);
    if (plan->next < plan->count) {
        struct iv_sim_date later = *date;
        later.time = plan->steps[plan->next].time;
        iv_sim_agenda_replace(&f->agenda, &later);
    } else {
        iv_sim_agenda_drop(&f->agenda);
    }
    struct iv_rc_s rc = accompany(f, plan, out, *happens, err);
    if (plan->next == plan->count) {
        iv_free(plan);
    }
    return rc;
}

static iv_rc step_of_past(struct iv_fleet *f, struct iv_err *err)
{
    struct iv_sim_case c = {.plant = f->history.plant, .at = f->history.time};
    const struct iv_sim_agent *agent = &f->agents[iv_chance_below(&f->chance, f->options.agents)];
    TRY(plant_case(f, &c, agent, err));
    if (iv_sim_history_next(&f->history)) {
        return enter(f, PAST, f->history.time, NULL, err);
    }
    return IV_OK;
}

/* Lets the next thing happen. False in event: it was none. */
static iv_rc happen(struct iv_fleet *f, struct iv_sim_step *out, bool *event, struct iv_err *err)
{
    struct iv_sim_date date = *iv_sim_agenda_top(&f->agenda);
    struct iv_sim_agent *agent = date.what; /* of most kinds */
    *event = date.kind == PLAN || date.kind == START || date.kind == STOP ||
             (date.kind == BEAT && date.time == agent->next_beat);
    if (*event) {
        f->now = date.time;
        f->happened++;
    }
    if (date.kind == PLAN) {
        return step_of_plan(f, out, event, &date, err);
    }
    iv_sim_agenda_drop(&f->agenda);
    switch ((enum date_kind)date.kind) {
    case START:
        *out = lone_step(f, agent, IV_STEP_started, date.time);
        TRY(start_agent(f, agent, date.time, err));
        return plant_beside(f, out, NULL, err);
    case BEAT:
        if (!*event) {
            return IV_OK;
        }
        *out = lone_step(f, agent, IV_STEP_heartbeat, date.time);
        agent->next_beat += HEARTBEAT_EVERY;
        TRY(enter(f, BEAT, agent->next_beat, agent, err));
        return plant_beside(f, out, NULL, err);
    case STOP:
        *out = lone_step(f, agent, IV_STEP_stopped, date.time);
        agent->next_beat = IV_NS_MIN;
        f->quota.happened++;
        return enter(f, START, date.time + iv_chance_between(&f->chance, 2000, 20000) * MS, agent, err);
    case SESSION:
        return begin_session(f, agent, date.time, err);
    case PAST:
        return step_of_past(f, err);
    case PLAN:
    default:
        return IV_OK;
    }
}

/* One in ten telemetry events is delayed on its way; the ledger's order is that of its times. */
static iv_ns arrival_of(struct iv_fleet *f, const struct iv_sim_step *step)
{
    if (step->delay_ms != 0) {
        return step->time + step->delay_ms * MS;
    }
    bool past = step->time < f->options.start;
    if (past || iv_sim_stream((enum iv_step_kind)step->kind) == IV_LEDGER ||
        iv_chance_below(&f->chance, 10) != 0) {
        return step->time;
    }
    return step->time + iv_chance_between(&f->chance, 1, IV_FLEET_DELAY / MS) * MS;
}

static iv_rc delay(struct iv_fleet *f, const struct iv_sim_step *step, iv_ns arrival, struct iv_err *err)
{
    struct iv_sim_step *copy = iv_malloc(sizeof *copy);
    ENSURE(copy != NULL, err, IV_E_NOMEM, "cannot allocate a delayed event of the fleet");
    *copy = *step;
    struct iv_sim_date date = {.time = arrival, .order = f->orders++, .what = copy};
    struct iv_rc_s rc = iv_sim_agenda_add(&f->delayed, &date, err);
    if (!iv_ok(rc)) {
        iv_free(copy);
    }
    return rc;
}

/* The next step to arrive. What is not delayed arrives when it happens: all that would arrive before has. */
static iv_rc next_step(struct iv_fleet *f, struct iv_sim_step *out, iv_ns *arrival, struct iv_err *err)
{
    for (;;) {
        const struct iv_sim_date *next = iv_sim_agenda_top(&f->agenda);
        const struct iv_sim_date *arriving = iv_sim_agenda_top(&f->delayed);
        bool more = next != NULL && (f->options.events == 0 || f->happened < f->options.events);
        if (arriving != NULL && (!more || arriving->time <= next->time)) {
            *out = *(struct iv_sim_step *)arriving->what;
            *arrival = arriving->time;
            iv_free(arriving->what);
            iv_sim_agenda_drop(&f->delayed);
            return IV_OK;
        }
        ENSURE(more, err, IV_E_ABSENT, "all that happened has arrived");
        bool event = false;
        TRY(happen(f, out, &event, err));
        if (!event) {
            continue;
        }
        *arrival = arrival_of(f, out);
        if (*arrival == out->time) {
            return IV_OK;
        }
        TRY(delay(f, out, *arrival, err));
    }
}

iv_rc iv_fleet_next(struct iv_fleet *f, struct iv_fleet_event *out, struct iv_err *err)
{
    struct iv_sim_step step;
    iv_ns arrival = 0;
    TRY(next_step(f, &step, &arrival, err));
    size_t n = iv_sim_write_event(f->event, &f->world, &step);
    TRY(iv_sim_finish_event(f->event, &n, f->ledgers, &f->world, &step, err));
    *out = (struct iv_fleet_event){.stream = iv_sim_stream((enum iv_step_kind)step.kind),
                                   .time = step.time,
                                   .arrival = arrival,
                                   .tenant = iv_sim_str(&f->world.tenant[step.agent->tenant]),
                                   .json = {f->event, n}};
    return IV_OK;
}

bool iv_fleet_in_history(const struct iv_fleet *f)
{
    const struct iv_sim_date *next = iv_sim_agenda_top(&f->agenda);
    return next != NULL && next->time < f->options.start;
}

/* "tok-" or "enc-" and the number. */
static bool number_of(uint64_t *out, struct iv_str name, const char *prefix)
{
    char digits[17] = "";
    char *end = NULL;
    if (name.n != 20 || memcmp(name.p, prefix, 4) != 0) {
        return false;
    }
    memcpy(digits, name.p + 4, 16);
    *out = strtoull(digits, &end, 16);
    return *end == '\0';
}

void iv_fleet_revoke(struct iv_fleet *f, struct iv_str token)
{
    uint64_t number = 0;
    if (number_of(&number, token, "tok-")) {
        f->revoked[f->revoked_count++ % REVOKED_MAX] = number;
    }
}

/* A session that is under way terminates its enclave itself. */
static bool will_terminate(const struct iv_fleet *f, uint64_t enclave)
{
    for (size_t i = 0; i < f->agenda.count; i++) {
        const struct iv_sim_plan *plan = f->agenda.dates[i].what;
        if (f->agenda.dates[i].kind != PLAN || !plan->hosts || plan->facts.enclave != enclave) {
            continue;
        }
        for (size_t k = plan->next; k < plan->count; k++) {
            if (plan->steps[k].kind == IV_STEP_terminated) {
                return true;
            }
        }
    }
    return false;
}

iv_rc iv_fleet_terminate(struct iv_fleet *f, struct iv_str enclave, iv_ns now, struct iv_err *err)
{
    uint64_t number = 0;
    if (!number_of(&number, enclave, "enc-") || will_terminate(f, number)) {
        return IV_OK;
    }
    const struct iv_sim_owner *found = iv_sim_owners_find(&f->owners, number);
    if (found == NULL) {
        return IV_OK;
    }
    const struct iv_sim_owner owner = *found;
    iv_ns at = now > f->now ? now : f->now;
    at += MS - at % MS;
    begin_draft(f, owner.agent);
    struct iv_sim_step *terminated = iv_sim_draft_add(&f->draft, IV_STEP_terminated, at);
    struct iv_sim_step *shredded = iv_sim_draft_add(&f->draft, IV_STEP_shredded, at + 20 * MS);
    terminated->enclave = shredded->enclave = shredded->thing = number;
    terminated->alias = shredded->alias = owner.alias;
    return enter_draft(f, false, err);
}

iv_ns iv_fleet_time(const struct iv_fleet *fleet)
{
    return fleet->now;
}

static void free_dates(struct iv_sim_agenda *agenda, bool all)
{
    for (size_t i = 0; i < agenda->count; i++) {
        if (all || agenda->dates[i].kind == PLAN) {
            iv_free(agenda->dates[i].what);
        }
    }
    iv_sim_agenda_deinit(agenda);
}

void iv_fleet_free(struct iv_fleet *fleet)
{
    if (fleet == NULL) {
        return;
    }
    free_dates(&fleet->agenda, false);
    free_dates(&fleet->delayed, true);
    iv_sim_ledgers_free(fleet->ledgers);
    iv_sim_world_deinit(&fleet->world);
    iv_free(fleet->agents);
    iv_free(fleet);
}

void iv_fleet_freep(struct iv_fleet **fleet)
{
    iv_fleet_free(*fleet);
}

/* An agent starts somewhere in the first ten seconds. */
static iv_rc begin_agents(struct iv_fleet *f, struct iv_err *err)
{
    f->agents = iv_calloc(f->options.agents, sizeof *f->agents);
    ENSURE(f->agents != NULL, err, IV_E_NOMEM, "cannot allocate %u agents", f->options.agents);
    for (unsigned i = 0; i < f->options.agents; i++) {
        f->agents[i] = (struct iv_sim_agent){.number = i, .tenant = i % f->world.tenants};
        iv_sim_name_agent(&f->agents[i]);
        iv_ns begin = f->options.start + iv_chance_between(&f->chance, 0, 10000) * MS;
        TRY(enter(f, START, begin, &f->agents[i], err));
    }
    return IV_OK;
}

static iv_rc begin_fleet(struct iv_fleet *f, struct iv_err *err)
{
    uint32_t tenants = f->options.agents / AGENTS_PER_TENANT;
    tenants = tenants < 2 ? 2 : tenants > IV_SIM_TENANTS_MAX ? IV_SIM_TENANTS_MAX : tenants;
    TRY(iv_sim_world_init(&f->world, f->options.seed, tenants, err));
    TRY(iv_sim_ledgers_new(&f->ledgers, f->world.tenants, err));
    TRY(begin_agents(f, err));
    iv_sim_quota_init(&f->quota, f->options.violations, f->options.events, f->options.agents,
                      f->options.history);
    if (iv_sim_history_begin(&f->history, &f->quota, f->options.start)) {
        return enter(f, PAST, f->history.time, NULL, err);
    }
    return IV_OK;
}

iv_rc iv_fleet_new(struct iv_fleet **out, const struct iv_fleet_options *options, iv_fleet_plant_fn planted,
                   void *ctx, struct iv_err *err)
{
    IV_AUTO(iv_fleet_freep) struct iv_fleet *f = iv_calloc(1, sizeof *f);
    ENSURE(f != NULL, err, IV_E_NOMEM, "cannot allocate a fleet");
    f->options = *options;
    f->options.start -= (options->start % MS + MS) % MS;
    f->planted = planted;
    f->ctx = ctx;
    f->chance.state = iv_mix(options->seed);
    f->now = f->options.start;
    TRY(begin_fleet(f, err));
    *out = TAKE(f);
    return IV_OK;
}

static void write_key(struct iv_buf *out, const char *id, const char *role, const struct iv_signer *signer)
{
    unsigned char public_key[32];
    iv_signer_public_bytes(public_key, signer);
    iv_buf_printf(out, "- {id: %s, role: %s, public_key: \"", id, role);
    iv_base64_encode(out, (struct iv_str){(const char *)public_key, sizeof public_key});
    iv_buf_text(out, "\"}\n");
}

iv_rc iv_fleet_keys_yaml(struct iv_buf *out, const struct iv_fleet *fleet, struct iv_err *err)
{
    iv_buf_text(out, "keys:\n");
    write_key(out, IV_SIM_ORCHESTRATOR_KEY, "orchestrator", fleet->world.orchestrator);
    write_key(out, IV_SIM_LEDGER_KEY, "log", fleet->world.ledger);
    ENSURE(!iv_buf_failed(out), err, IV_E_NOMEM, "cannot write the fleet's keys");
    return IV_OK;
}
