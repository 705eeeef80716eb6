/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/ledger.h"
#include "base/alloc.h"
#include "base/digest.h"
#include "base/guard.h"
#include "base/merkle.h"
#include "event/checkpoint.h"
#include "fleet/names.h"

#include <string.h>

#define NOTE_MAX_BYTES ((size_t)4096)
#define HASH_DIGITS 96

/* A place in a log. */
struct place {
    uint64_t seq;
    char prev[HASH_DIGITS]; /* the ledgerhash of the event before; zeros before the first */
};

struct log {
    struct place next;
    struct iv_merkle tree;
};

struct iv_sim_ledgers {
    struct iv_digester *digester;
    struct iv_buf note; /* scratch */
    struct log logs[];  /* of each tenant */
};

iv_rc iv_sim_ledgers_new(struct iv_sim_ledgers **out, uint32_t tenants, struct iv_err *err)
{
    struct iv_sim_ledgers *l = iv_calloc(1, sizeof *l + tenants * sizeof l->logs[0]);
    ENSURE(l != NULL, err, IV_E_NOMEM, "cannot allocate the ledgers of %u tenants", tenants);
    struct iv_rc_s rc = iv_digester_new(&l->digester, err);
    if (!iv_ok(rc)) {
        iv_free(l);
        return rc;
    }
    iv_buf_init(&l->note, NOTE_MAX_BYTES);
    for (uint32_t i = 0; i < tenants; i++) {
        memset(l->logs[i].next.prev, '0', HASH_DIGITS);
    }
    *out = l;
    return IV_OK;
}

void iv_sim_ledgers_free(struct iv_sim_ledgers *ledgers)
{
    if (ledgers != NULL) {
        iv_digester_free(ledgers->digester);
        iv_buf_deinit(&ledgers->note);
        iv_free(ledgers);
    }
}

/* The attributes that both kinds of event have, from "source" on: the end of an event in canonical order. */
static void put_end(struct iv_sim_text *t, const struct iv_sim_world *world, const struct iv_sim_step *step)
{
    enum iv_step_kind kind = (enum iv_step_kind)step->kind;
    const struct iv_sim_agent *agent = step->agent;
    PUT(t, ",\"source\":\"");
    iv_put_name(t, iv_sim_stream(kind) == IV_LEDGER ? &world->source_of_tenant[agent->tenant]
                                                    : &world->source_of_node[agent->number % IV_SIM_NODES]);
    PUT(t, "\",\"specversion\":\"1.0\",\"subject\":\"");
    iv_sim_write_agent(t, step);
    PUT(t, "\",\"tenantid\":\"");
    iv_put_name(t, &world->tenant[agent->tenant]);
    PUT(t, "\",\"time\":\"");
    iv_put_time(t, step->time);
    PUT(t, "\",\"type\":\"");
    iv_put_text(t, iv_sim_type(kind));
    PUT(t, "\"}");
}

static void put_id(struct iv_sim_text *t, const struct iv_sim_step *step)
{
    PUT(t, ",\"id\":\"");
    iv_put_event_id(t, step->id);
    PUT(t, "\"");
}

/* Of a ledger event up to the id: ledgerhash, the first that depends on the log, comes next in canonical
 * order. */
size_t iv_sim_write_event(char *out, const struct iv_sim_world *world, const struct iv_sim_step *step)
{
    struct iv_sim_text t = {out};
    if (step->kind == IV_STEP_checkpoint) {
        return 0;
    }
    PUT(&t, "{\"data\":");
    iv_sim_write_data(&t, world, step);
    put_id(&t, step);
    if (iv_sim_stream((enum iv_step_kind)step->kind) == IV_TELEMETRY) {
        put_end(&t, world, step);
    }
    size_t n = (size_t)(t.p - out);
    IV_CHECK(n <= IV_SIM_EVENT_BYTES);
    return n;
}

static void put_behind(struct iv_sim_text *t, const struct iv_sim_world *world,
                       const struct iv_sim_step *step, const struct place *place)
{
    PUT(t, ",\"ledgerid\":\"");
    if (step->site == 0) {
        iv_put_name(t, &world->log_of_tenant[step->agent->tenant]);
    } else {
        struct iv_sim_name log = iv_sim_log(step);
        iv_put_name(t, &log);
    }
    PUT(t, "\",\"ledgerprev\":\"");
    iv_put(t, place->prev, HASH_DIGITS);
    PUT(t, "\",\"ledgerseq\":");
    iv_put_int(t, place->seq);
    put_end(t, world, step);
}

/* Over the event without its ledgerhash: the two parts around it. */
static struct iv_digest digest_of(struct iv_sim_ledgers *l, struct iv_str before, struct iv_str behind)
{
    struct iv_digest digest;
    iv_digest_begin(l->digester, IV_SHA384);
    iv_digest_update(l->digester, before);
    iv_digest_update(l->digester, behind);
    iv_digest_end(l->digester, &digest);
    return digest;
}

static void write_hex(char out[HASH_DIGITS], const struct iv_digest *digest)
{
    for (size_t i = 0; i < digest->n; i += 8) {
        uint64_t word = 0;
        for (size_t k = 0; k < 8; k++) {
            word = word << 8 | digest->bytes[i + k];
        }
        iv_sim_hex16(out + 2 * i, word);
    }
}

/* Of an event in the log of a site, which only planted ones are in. */
static struct place place_at_site(struct iv_sim_ledgers *l, const struct iv_sim_world *world,
                                  const struct iv_sim_step *step)
{
    struct place place = {.seq = 0};
    memset(place.prev, '0', HASH_DIGITS);
    if (step->plant == IV_PLANT_removed && step->variant == 1) {
        place.seq = 2 + step->site % 8;
        iv_sim_hex(place.prev, step->site, HASH_DIGITS);
    } else if (step->plant == IV_PLANT_backdated && step->variant == 1) {
        char text[2 * IV_SIM_EVENT_BYTES];
        struct iv_sim_step first = *step;
        first.id = step->thing;
        first.time = step->until;
        first.thing = 0;
        first.variant = 0;
        size_t before = iv_sim_write_event(text, world, &first);
        struct iv_sim_text behind = {text + before};
        put_behind(&behind, world, &first, &place);
        struct iv_digest digest =
            digest_of(l, (struct iv_str){text, before},
                      (struct iv_str){text + before, (size_t)(behind.p - text) - before});
        write_hex(place.prev, &digest);
        place.seq = 1;
    }
    return place;
}

/* What the log says of itself before the checkpoint; a planted one has another root, or a stranger's
 * signature. */
static iv_rc put_checkpoint(struct iv_sim_text *t, struct iv_sim_ledgers *l, const struct iv_sim_world *world,
                            const struct iv_sim_step *step, struct iv_err *err)
{
    bool bad = step->plant == IV_PLANT_bad_checkpoint;
    const struct log *log = &l->logs[step->agent->tenant];
    const struct iv_sim_name *origin = &world->log_of_tenant[step->agent->tenant];
    struct iv_checkpoint checkpoint = {.origin = iv_sim_str(origin), .size = log->tree.size};
    iv_merkle_root(&checkpoint.root, l->digester, &log->tree);
    checkpoint.root.bytes[7] ^= bad && step->variant == 0 ? 1 : 0;
    iv_buf_clear(&l->note);
    TRY(iv_checkpoint_sign(&l->note, &checkpoint, IV_STR(IV_SIM_LEDGER_KEY),
                           bad && step->variant == 1 ? world->stranger : world->ledger, l->digester, err));
    IV_CHECK(l->note.n < IV_SIM_EVENT_BYTES / 4);
    PUT(t, "{\"data\":{\"note\":\"");
    for (size_t i = 0; i < l->note.n; i++) {
        if (l->note.p[i] == '\n') {
            PUT(t, "\\n");
        } else {
            *t->p++ = l->note.p[i];
        }
    }
    PUT(t, "\"}");
    put_id(t, step);
    return IV_OK;
}

static void move_on(struct iv_sim_ledgers *l, struct log *log, const struct iv_digest *digest)
{
    write_hex(log->next.prev, digest);
    log->next.seq++;
    iv_merkle_append(&log->tree, l->digester, (struct iv_str){(const char *)digest->bytes, digest->n});
}

/* An approver's name gets another letter. */
static void tamper(char *event)
{
    char *approver = strstr(event, "\"approver\":\"");
    IV_CHECK(approver != NULL);
    approver[sizeof "\"approver\":\"" - 1] ^= 2;
}

iv_rc iv_sim_finish_event(char *out, size_t *n, struct iv_sim_ledgers *l, const struct iv_sim_world *world,
                          const struct iv_sim_step *step, struct iv_err *err)
{
    struct iv_sim_text t = {out + *n};
    if (iv_sim_stream((enum iv_step_kind)step->kind) == IV_TELEMETRY) {
        return IV_OK;
    }
    if (step->kind == IV_STEP_checkpoint) {
        TRY(put_checkpoint(&t, l, world, step, err));
    }
    struct log *log = &l->logs[step->agent->tenant];
    struct place place = step->site == 0 ? log->next : place_at_site(l, world, step);
    struct iv_str before = {out, (size_t)(t.p - out)};
    PUT(&t, ",\"ledgerhash\":\"");
    char *hash = t.p;
    t.p += HASH_DIGITS;
    PUT(&t, "\"");
    char *behind = t.p;
    put_behind(&t, world, step, &place);
    struct iv_digest digest = digest_of(l, before, (struct iv_str){behind, (size_t)(t.p - behind)});
    write_hex(hash, &digest);
    if (step->site == 0) {
        move_on(l, log, &digest);
    }
    *n = (size_t)(t.p - out);
    IV_CHECK(*n <= IV_SIM_EVENT_BYTES);
    if (step->plant == IV_PLANT_tampered) {
        tamper(out);
    }
    return IV_OK;
}
