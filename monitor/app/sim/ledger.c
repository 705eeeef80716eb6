/* SPDX-License-Identifier: Apache-2.0 */
#include "app/sim/ledger.h"
#include "app/sim/names.h"
#include "base/alloc.h"
#include "base/digest.h"
#include "base/encode.h"
#include "base/guard.h"
#include "base/merkle.h"
#include "event/checkpoint.h"

#include <string.h>

#define PART_MAX_BYTES ((size_t)64 * 1024)
#define HASH_DIGITS 96

/* A place in a log. */
struct place {
    int64_t seq;
    char prev[HASH_DIGITS + 1]; /* the ledgerhash of the event before; zeros before the first */
};

struct log {
    struct place next;
    struct iv_merkle tree;
};

struct iv_sim_ledgers {
    struct iv_digester *digester;
    struct iv_buf before; /* what stands before ledgerhash in canonical order */
    struct iv_buf behind;
    struct log logs[]; /* of each tenant */
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
    iv_buf_init(&l->before, PART_MAX_BYTES);
    iv_buf_init(&l->behind, PART_MAX_BYTES);
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
        iv_buf_deinit(&ledgers->before);
        iv_buf_deinit(&ledgers->behind);
        iv_free(ledgers);
    }
}

/* The attributes that both kinds of event have, from "source" on: the end of an event in canonical order. */
static void write_envelope_end(struct iv_json *j, const struct iv_sim_step *step)
{
    enum iv_step_kind kind = (enum iv_step_kind)step->kind;
    struct iv_sim_name source = iv_sim_source(step->agent, iv_sim_stream(kind));
    struct iv_sim_name agent = iv_sim_agent_name(step);
    struct iv_sim_name tenant = iv_sim_tenant(step->agent->tenant);
    iv_sim_member(j, "source", &source);
    iv_json_raw(j, "specversion", IV_STR("\"1.0\""));
    iv_sim_member(j, "subject", &agent);
    iv_sim_member(j, "tenantid", &tenant);
    iv_json_time(j, "time", step->time);
    iv_json_text(j, "type", iv_sim_type(kind));
}

static void write_beginning(struct iv_json *j, struct iv_sim_world *world, const struct iv_sim_step *step)
{
    iv_json_open_object(j, NULL);
    iv_json_raw(j, "data", IV_STR(""));
    iv_sim_write_data(j->out, world, step);
    struct iv_sim_name id = iv_sim_event_id(step->id);
    iv_sim_member(j, "id", &id);
}

/* In canonical order ledgerhash stands between id and ledgerid: what is hashed is the two parts around it. */
static void compose(struct iv_sim_ledgers *l, struct iv_sim_world *world, const struct iv_sim_step *step,
                    const struct place *place)
{
    struct iv_sim_name log = iv_sim_log(step);
    iv_buf_clear(&l->before);
    iv_buf_clear(&l->behind);
    struct iv_json j = iv_json_to(&l->before);
    write_beginning(&j, world, step);
    j.out = &l->behind;
    iv_sim_member(&j, "ledgerid", &log);
    iv_json_text(&j, "ledgerprev", place->prev);
    iv_json_int(&j, "ledgerseq", place->seq);
    write_envelope_end(&j, step);
    iv_json_close_object(&j);
}

static struct iv_digest digest_of(struct iv_sim_ledgers *l)
{
    struct iv_digest digest;
    iv_digest_begin(l->digester, IV_SHA384);
    iv_digest_update(l->digester, iv_buf_slice(&l->before));
    iv_digest_update(l->digester, iv_buf_slice(&l->behind));
    iv_digest_end(l->digester, &digest);
    return digest;
}

static void write_hex(char out[HASH_DIGITS + 1], const struct iv_digest *digest)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < digest->n; i++) {
        out[2 * i] = hex[digest->bytes[i] >> 4];
        out[2 * i + 1] = hex[digest->bytes[i] & 15];
    }
    out[2 * digest->n] = '\0';
}

/* Of an event in the log of a site, which only planted ones are in. */
static struct place place_at_site(struct iv_sim_ledgers *l, struct iv_sim_world *world,
                                  const struct iv_sim_step *step)
{
    struct place place = {.seq = 0};
    memset(place.prev, '0', HASH_DIGITS);
    if (step->plant == IV_PLANT_removed) {
        place.seq = 1 + (int64_t)(step->site % 1000);
        iv_sim_hex(place.prev, step->site, HASH_DIGITS);
    } else if (step->plant == IV_PLANT_backdated && step->variant == 1) {
        struct iv_sim_step first = *step;
        first.id = step->thing;
        first.time = step->until;
        first.thing = 0;
        first.variant = 0;
        compose(l, world, &first, &place);
        struct iv_digest digest = digest_of(l);
        write_hex(place.prev, &digest);
        place.seq = 1;
    }
    return place;
}

/* What the log says of itself before the checkpoint; a planted one has another root, or a stranger's
 * signature. */
static iv_rc write_note(struct iv_sim_ledgers *l, struct iv_sim_world *world, const struct iv_sim_step *step,
                        struct iv_err *err)
{
    bool bad = step->plant == IV_PLANT_bad_checkpoint;
    const struct log *log = &l->logs[step->agent->tenant];
    struct iv_sim_name origin = iv_sim_log(step);
    struct iv_checkpoint checkpoint = {.origin = iv_sim_str(&origin), .size = log->tree.size};
    iv_merkle_root(&checkpoint.root, l->digester, &log->tree);
    checkpoint.root.bytes[7] ^= bad && step->variant == 0 ? 1 : 0;
    iv_buf_clear(&world->note);
    return iv_checkpoint_sign(&world->note, &checkpoint, IV_STR(IV_SIM_LEDGER_KEY),
                              bad && step->variant == 1 ? world->stranger : world->ledger, l->digester, err);
}

static void move_on(struct iv_sim_ledgers *l, struct log *log, const struct iv_digest *digest)
{
    write_hex(log->next.prev, digest);
    log->next.seq++;
    iv_merkle_append(&log->tree, l->digester, (struct iv_str){(const char *)digest->bytes, digest->n});
}

static iv_rc write_ledger_event(struct iv_buf *out, struct iv_sim_ledgers *l, struct iv_sim_world *world,
                                const struct iv_sim_step *step, struct iv_err *err)
{
    struct log *log = &l->logs[step->agent->tenant];
    struct place place = step->site == 0 ? log->next : place_at_site(l, world, step);
    if (step->kind == IV_STEP_checkpoint) {
        TRY(write_note(l, world, step, err));
    }
    compose(l, world, step, &place);
    struct iv_digest digest = digest_of(l);
    char hex[HASH_DIGITS + 1];
    write_hex(hex, &digest);
    if (step->site == 0) {
        move_on(l, log, &digest);
    }
    if (step->plant == IV_PLANT_tampered) {
        struct iv_sim_step altered = *step;
        altered.variant = 1;
        compose(l, world, &altered, &place);
    }
    iv_buf_str(out, iv_buf_slice(&l->before));
    iv_buf_text(out, ",\"ledgerhash\":\"");
    iv_buf_add(out, hex, HASH_DIGITS);
    iv_buf_char(out, '"');
    iv_buf_str(out, iv_buf_slice(&l->behind));
    iv_buf_inherit(out, &l->before);
    iv_buf_inherit(out, &l->behind);
    return IV_OK;
}

iv_rc iv_sim_write_event(struct iv_buf *out, struct iv_sim_ledgers *ledgers, struct iv_sim_world *world,
                         const struct iv_sim_step *step, struct iv_err *err)
{
    if (iv_sim_stream((enum iv_step_kind)step->kind) == IV_LEDGER) {
        TRY(write_ledger_event(out, ledgers, world, step, err));
    } else {
        struct iv_json j = iv_json_to(out);
        write_beginning(&j, world, step);
        write_envelope_end(&j, step);
        iv_json_close_object(&j);
    }
    return iv_buf_check(out, "an event of the fleet", err);
}
