/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/census.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "base/hash.h"
#include "event/catalogue.h"

/* The same in all processes, for their crowds are merged. */
static const struct iv_hash_key key = {0x696e766967696c21, 0x616c697665};

struct slot {
    iv_ns span; /* where it begins; IV_NS_MIN: none */
    struct iv_crowd crowds[IV_ALIVE_KINDS];
    bool changed[IV_ALIVE_KINDS];
};

struct iv_census {
    struct slot slots[IV_ALIVE_SPANS]; /* by span modulo their number */
    iv_ns newest;                      /* span */
    uint16_t enclave;                  /* the field's name; IV_NO_NAME: no type has it */
};

#define IV_NO_NAME UINT16_MAX

void iv_census_reload(struct iv_census *census, const struct iv_catalogue *catalogue)
{
    census->enclave = IV_NO_NAME;
    for (size_t i = 0; i < iv_catalogue_names(catalogue); i++) {
        if (iv_str_eq(iv_catalogue_name(catalogue, (uint16_t)i), IV_STR("enclave_id"))) {
            census->enclave = (uint16_t)i;
        }
    }
}

iv_rc iv_census_new(struct iv_census **out, const struct iv_catalogue *catalogue, struct iv_err *err)
{
    struct iv_census *c = iv_calloc(1, sizeof *c);
    ENSURE(c != NULL, err, IV_E_NOMEM, "cannot allocate a census");
    for (size_t i = 0; i < IV_ALIVE_SPANS; i++) {
        c->slots[i].span = IV_NS_MIN;
    }
    c->newest = IV_NS_MIN;
    iv_census_reload(c, catalogue);
    *out = c;
    return IV_OK;
}

void iv_census_free(struct iv_census *census)
{
    for (size_t i = 0; census != NULL && i < IV_ALIVE_SPANS; i++) {
        for (size_t kind = 0; kind < IV_ALIVE_KINDS; kind++) {
            iv_crowd_deinit(&census->slots[i].crowds[kind]);
        }
    }
    iv_free(census);
}

/* NULL: it is too old to count. */
static struct slot *slot_of(struct iv_census *c, iv_ns time)
{
    iv_ns span = time / IV_ALIVE_SPAN * IV_ALIVE_SPAN;
    if (c->newest != IV_NS_MIN && span <= c->newest - IV_ALIVE_SPANS * IV_ALIVE_SPAN) {
        return NULL;
    }
    struct slot *slot = &c->slots[span / IV_ALIVE_SPAN % IV_ALIVE_SPANS];
    if (slot->span != span) {
        slot->span = span;
        for (size_t kind = 0; kind < IV_ALIVE_KINDS; kind++) {
            iv_crowd_clear(&slot->crowds[kind]);
            slot->changed[kind] = false;
        }
    }
    c->newest = span > c->newest ? span : c->newest;
    return slot;
}

static bool count(struct slot *slot, enum iv_alive kind, struct iv_str name)
{
    bool news = false;
    bool whole = name.n == 0 || iv_crowd_add(&slot->crowds[kind], iv_hash64(key, name), &news);
    slot->changed[kind] = slot->changed[kind] || news;
    return whole;
}

static struct iv_str enclave_of(const struct iv_census *c, const struct iv_event *event)
{
    uint8_t at = c->enclave == IV_NO_NAME ? IV_NO_SLOT : event->object.slot_of[c->enclave];
    return at != IV_NO_SLOT && event->slots[at].kind == IV_KIND_STRING ? iv_val_slice(event->slots[at])
                                                                       : (struct iv_str){NULL, 0};
}

iv_rc iv_census_event(struct iv_census *census, const struct iv_event *event, iv_ns wall, struct iv_err *err)
{
    if (event->time < 0 || event->time > iv_ns_add(wall, IV_ALIVE_SPAN)) {
        return IV_OK;
    }
    struct slot *slot = slot_of(census, event->time);
    bool whole = slot == NULL || (count(slot, IV_ALIVE_AGENTS, iv_event_attr(event, IV_ATTR_AGENT)) &&
                                  count(slot, IV_ALIVE_TENANTS, iv_event_attr(event, IV_ATTR_TENANT)) &&
                                  count(slot, IV_ALIVE_ENCLAVES, enclave_of(census, event)));
    ENSURE(whole, err, IV_E_NOMEM, "cannot allocate who is alive");
    return IV_OK;
}

iv_rc iv_census_report(struct iv_census *census, iv_census_fn visit, void *ctx, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf bytes;
    iv_buf_init(&bytes, IV_CROWD_BYTES + 1);
    for (size_t i = 0; i < IV_ALIVE_SPANS; i++) {
        struct slot *slot = &census->slots[i];
        for (size_t kind = 0; kind < IV_ALIVE_KINDS; kind++) {
            if (!slot->changed[kind]) {
                continue;
            }
            iv_buf_clear(&bytes);
            iv_crowd_write(&bytes, &slot->crowds[kind]);
            TRY(iv_buf_check(&bytes, "who is alive", err));
            const struct iv_alive_row row = {(enum iv_alive)kind, slot->span, iv_buf_slice(&bytes)};
            TRY(visit(ctx, &row, err));
            slot->changed[kind] = false;
        }
    }
    return IV_OK;
}
