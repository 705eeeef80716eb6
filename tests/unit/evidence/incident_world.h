/* SPDX-License-Identifier: Apache-2.0 */
/* A store with findings of incidents, which are triaged and summed up, and what is read of it as one line. */
#pragma once

#include "base/guard.h"
#include "evidence/incident.h"
#include "evidence/reader.h"
#include "evidence/store.h"
#include "evidence/sums.h"
#include "evidence/triage.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define DAY (86400 * IV_NS_PER_S)
#define NOON (20000 * DAY + DAY / 2)

struct world {
    struct scratch dir;
    struct iv_store *store;
    struct iv_reader *reader;
    unsigned made;
};

static inline void world_init(struct world *w)
{
    struct iv_err err = {.text = ""};
    *w = (struct world){.dir = scratch_make()};
    cr_assert(iv_ok(iv_store_open(&w->store, scratch_file(&w->dir, "s.db"), &err)), "%s", err.text);
    cr_assert(iv_ok(iv_reader_open(&w->reader, scratch_file(&w->dir, "s.db"), &err)), "%s", err.text);
}

static inline void world_deinit(struct world *w)
{
    iv_reader_close(w->reader);
    iv_store_close(w->store);
    scratch_remove(&w->dir);
}

struct row {
    const char *rule;
    const char *agent;
    enum iv_severity severity;
    enum iv_verdict_kind kind;
    iv_ns time;
};

static inline void put_as(struct world *w, unsigned number, const struct row *row)
{
    struct iv_err err = {.text = ""};
    char uid[IV_UID_HEX + 1];
    char id[32];
    enum iv_put how;
    (void)snprintf(uid, sizeof uid, "%064u", number);
    (void)snprintf(id, sizeof id, "event-%u", number);
    const struct iv_finding f = {
        .uid = iv_str_of(uid),
        .kind = row->kind,
        .rule = iv_str_of(row->rule),
        .title = IV_STR("Token used after it was revoked"),
        .severity = row->severity,
        .criteria = IV_STR("CC6.1 CC6.3"),
        .tenant = IV_STR("acme"),
        .agent = iv_str_of(row->agent),
        .trigger_id = iv_str_of(id),
        .time = row->time,
        .detected = row->time,
        .ocsf = IV_STR("{}"),
    };
    cr_assert(iv_ok(iv_store_begin(w->store, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_store_put_finding(w->store, &how, &f, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_store_commit(w->store, &err)), "%s", err.text);
}

static inline unsigned put(struct world *w, const struct row *row)
{
    put_as(w, ++w->made, row);
    return w->made;
}

static inline void sum_up(struct world *w)
{
    struct iv_err err = {.text = ""};
    for (bool more = true; more;) {
        cr_assert(iv_ok(iv_store_begin(w->store, &err)));
        cr_assert(iv_ok(iv_sums_take(w->store, &more, &err)), "%s", err.text);
        cr_assert(iv_ok(iv_store_commit(w->store, &err)));
    }
}

static inline struct iv_rc_s triage(struct world *w, unsigned number, struct iv_triage t, struct iv_err *err)
{
    char uid[IV_UID_HEX + 1];
    (void)snprintf(uid, sizeof uid, "%064u", number);
    t.finding = iv_str_of(uid);
    t.who = IV_STR("carol");
    t.at = NOON;
    cr_assert(iv_ok(iv_store_begin(w->store, err)));
    struct iv_rc_s rc = iv_store_triage(w->store, &t, err);
    if (iv_ok(rc)) {
        cr_assert(iv_ok(iv_store_commit(w->store, err)));
    } else {
        iv_store_rollback(w->store);
    }
    return rc;
}

struct listed {
    char text[512];
};

static inline bool list_incident(void *ctx, const struct iv_incident *i)
{
    struct listed *l = ctx;
    size_t n = strlen(l->text);
    (void)snprintf(l->text + n, sizeof l->text - n, IV_STR_FMT "/" IV_STR_FMT " %lld %lld %lld %s;",
                   IV_STR_ARG(i->rule), IV_STR_ARG(i->agent), (long long)i->count, (long long)i->live,
                   (long long)i->waived, iv_triage_state_name(i->state));
    return true;
}

static inline const char *incidents(struct world *w, struct listed *l, struct iv_finding_filter filter)
{
    struct iv_err err = {.text = ""};
    l->text[0] = '\0';
    cr_assert(iv_ok(iv_reader_incidents(w->reader, &filter, list_incident, l, &err)), "%s", err.text);
    return l->text;
}

static inline bool list_finding(void *ctx, const struct iv_finding *f)
{
    struct listed *l = ctx;
    size_t n = strlen(l->text);
    (void)snprintf(l->text + n, sizeof l->text - n, "%.*s ", 4, f->uid.p + IV_UID_HEX - 4);
    return true;
}

static inline const char *findings(struct world *w, struct listed *l, struct iv_finding_filter filter)
{
    struct iv_err err = {.text = ""};
    l->text[0] = '\0';
    cr_assert(iv_ok(iv_reader_findings(w->reader, &filter, list_finding, l, &err)), "%s", err.text);
    return l->text;
}

static inline bool list_agent(void *ctx, const struct iv_fleet_item *item)
{
    struct listed *l = ctx;
    size_t n = strlen(l->text);
    (void)snprintf(l->text + n, sizeof l->text - n, IV_STR_FMT " %g;", IV_STR_ARG(item->agent), item->risk);
    return true;
}

static inline const char *fleet(struct world *w, struct listed *l, iv_ns now)
{
    struct iv_err err = {.text = ""};
    const struct iv_fleet_filter filter = {.day = now / DAY, .limit = 10};
    l->text[0] = '\0';
    cr_assert(iv_ok(iv_reader_fleet(w->reader, &filter, list_agent, l, &err)), "%s", err.text);
    return l->text;
}

static const struct row used = {"TOK-002", "a", IV_SEV_CRITICAL, IV_VIOLATED, NOON};
