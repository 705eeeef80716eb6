/* SPDX-License-Identifier: Apache-2.0 */
#include "app/sim/ledger.h"
#include "app/sim/names.h"
#include "base/alloc.h"
#include "base/digest.h"
#include "base/encode.h"
#include "base/guard.h"
#include "base/json_write.h"

#include <stdio.h>

#define PART_MAX_BYTES ((size_t)64 * 1024)

struct log {
    int64_t next;
    char head[97]; /* the newest ledgerhash, hex; zeros before the first */
};

struct iv_sim_ledgers {
    struct iv_digester *digester;
    struct iv_buf before; /* what stands before ledgerhash in canonical order */
    struct iv_buf behind;
    uint32_t count;
    struct log logs[];
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
    l->count = tenants;
    for (uint32_t i = 0; i < tenants; i++) {
        memset(l->logs[i].head, '0', 96);
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
    iv_json_text(j, "source", iv_sim_source(step->agent, iv_sim_stream(step->kind)).text);
    iv_json_text(j, "specversion", "1.0");
    iv_json_text(j, "subject", iv_sim_agent_name(step->agent).text);
    iv_json_text(j, "tenantid", iv_sim_tenant(step->agent->tenant).text);
    iv_json_time(j, "time", step->time);
    iv_json_text(j, "type", iv_sim_type(step->kind));
}

static void write_beginning(struct iv_json *j, struct iv_sim_world *world, const struct iv_sim_step *step)
{
    iv_json_open_object(j, NULL);
    iv_json_raw(j, "data", (struct iv_str){"", 0});
    iv_sim_data(j->out, world, step);
    iv_json_text(j, "id", iv_sim_event_id(world->seed, step).text);
}

static void digest_hex(char out[97], struct iv_sim_ledgers *l)
{
    struct iv_digest digest;
    struct iv_buf hex;
    iv_digest_begin(l->digester, IV_SHA384);
    iv_digest_update(l->digester, iv_buf_slice(&l->before));
    iv_digest_update(l->digester, iv_buf_slice(&l->behind));
    iv_digest_end(l->digester, &digest);
    iv_buf_init(&hex, 96);
    iv_hex_encode(&hex, (struct iv_str){(const char *)digest.bytes, digest.n});
    memcpy(out, iv_buf_slice(&hex).p, hex.n);
    out[hex.n] = '\0';
    iv_buf_deinit(&hex);
}

/* In canonical order ledgerhash stands between id and ledgerid: what is hashed is the two parts around it. */
static void write_ledger_event(struct iv_buf *out, struct iv_sim_ledgers *l, struct iv_sim_world *world,
                               const struct iv_sim_step *step)
{
    struct log *log = &l->logs[step->agent->tenant];
    char log_id[32];
    (void)snprintf(log_id, sizeof log_id, "log-tenant-%02u", step->agent->tenant);
    iv_buf_clear(&l->before);
    iv_buf_clear(&l->behind);
    struct iv_json j = iv_json_to(&l->before);
    write_beginning(&j, world, step);
    j.out = &l->behind;
    iv_json_text(&j, "ledgerid", log_id);
    iv_json_text(&j, "ledgerprev", log->head);
    iv_json_int(&j, "ledgerseq", log->next++);
    write_envelope_end(&j, step);
    iv_json_close_object(&j);
    digest_hex(log->head, l);
    iv_buf_str(out, iv_buf_slice(&l->before));
    iv_buf_printf(out, ",\"ledgerhash\":\"%s\"", log->head);
    iv_buf_str(out, iv_buf_slice(&l->behind));
    out->failed = out->failed || l->before.failed || l->behind.failed;
}

iv_rc iv_sim_write_event(struct iv_buf *out, struct iv_sim_ledgers *ledgers, struct iv_sim_world *world,
                         const struct iv_sim_step *step, struct iv_err *err)
{
    if (iv_sim_stream(step->kind) == IV_LEDGER) {
        write_ledger_event(out, ledgers, world, step);
    } else {
        struct iv_json j = iv_json_to(out);
        write_beginning(&j, world, step);
        write_envelope_end(&j, step);
        iv_json_close_object(&j);
    }
    ENSURE(!iv_buf_failed(out), err, IV_E_NOMEM, "cannot write an event of the fleet");
    return IV_OK;
}
