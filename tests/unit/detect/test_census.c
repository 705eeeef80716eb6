/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "detect/census.h"
#include "event/catalogue.h"
#include "event/decode.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define MINUTE (60 * IV_NS_PER_S)
/* 2026-01-01T00:00:00Z */
#define EPOCH (INT64_C(1767225600) * IV_NS_PER_S)

struct world {
    struct iv_catalogue *catalogue;
    struct iv_decoder *decoder;
    struct iv_census *census;
    struct iv_arena arena;
    struct iv_err err;
    int64_t counts[IV_ALIVE_KINDS]; /* of what was reported last, over all spans */
    int rows;
};

static void world_init(struct world *w)
{
    struct iv_decode_limits limits = IV_DECODE_LIMITS_DEFAULT;
    *w = (struct world){.catalogue = NULL};
    iv_arena_init(&w->arena, 0);
    cr_assert(iv_ok(iv_catalogue_new(&w->catalogue, &w->err)) &&
              iv_ok(iv_catalogue_freeze(w->catalogue, &w->err)));
    cr_assert(iv_ok(iv_decoder_new(&w->decoder, w->catalogue, &limits, (struct iv_hash_key){0, 0}, &w->err)));
    cr_assert(iv_ok(iv_census_new(&w->census, w->catalogue, &w->err)));
}

static void world_deinit(struct world *w)
{
    iv_census_free(w->census);
    iv_decoder_free(w->decoder);
    iv_catalogue_free(w->catalogue);
    iv_arena_deinit(&w->arena);
}

/* An event of an agent, minutes behind the epoch; ahead: of the wall's time. */
static void tell(struct world *w, int minutes, const char *agent, const char *enclave, iv_ns ahead)
{
    char text[512];
    struct iv_event event;
    int n =
        snprintf(text, sizeof text,
                 "{\"specversion\":\"1.0\",\"id\":\"e\",\"source\":\"/s\",\"type\":\"enclave.terminated\","
                 "\"time\":\"2026-01-01T%02d:%02d:00Z\",\"subject\":\"%s\",\"tenantid\":\"t\","
                 "\"data\":{\"enclave_id\":\"%s\"}}",
                 minutes / 60, minutes % 60, agent, enclave);
    struct iv_record record = {.origin = {IV_TELEMETRY, 0, 0, IV_STR("t")}};
    record.bytes = iv_arena_str(&w->arena, (struct iv_str){text, (size_t)n});
    cr_assert(iv_ok(iv_decode(w->decoder, &record, &w->arena, &event, &w->err)), "%s", w->err.text);
    cr_assert(iv_ok(iv_census_event(w->census, &event, event.time - ahead, &w->err)));
}

static iv_rc add(void *ctx, const struct iv_alive_row *row, struct iv_err *err)
{
    struct world *w = ctx;
    struct iv_crowd crowd = {.hashes = NULL};
    bool bad = false;
    (void)err;
    cr_assert(iv_crowd_read(&crowd, &bad, row->crowd) && !bad);
    cr_expect(row->span >= EPOCH && row->span % IV_ALIVE_SPAN == 0);
    w->counts[row->kind] += (int64_t)iv_crowd_count(&crowd);
    w->rows++;
    iv_crowd_deinit(&crowd);
    return IV_OK;
}

static void expect(struct world *w, int rows, int64_t agents, int64_t tenants, int64_t enclaves)
{
    w->rows = 0;
    for (int i = 0; i < IV_ALIVE_KINDS; i++) {
        w->counts[i] = 0;
    }
    cr_assert(iv_ok(iv_census_report(w->census, add, w, &w->err)));
    cr_expect(w->rows == rows && w->counts[IV_ALIVE_AGENTS] == agents &&
                  w->counts[IV_ALIVE_TENANTS] == tenants && w->counts[IV_ALIVE_ENCLAVES] == enclaves,
              "%d rows: %lld, %lld, %lld", w->rows, (long long)w->counts[0], (long long)w->counts[1],
              (long long)w->counts[2]);
}

Test(census, counts_each_once_in_five_minutes_and_tells_what_is_new)
{
    struct world w;
    world_init(&w);
    tell(&w, 0, "a1", "e1", 0);
    tell(&w, 1, "a1", "e2", 0);
    tell(&w, 4, "a2", "e2", 0);
    expect(&w, 3, 2, 1, 2);
    expect(&w, 0, 0, 0, 0);
    tell(&w, 4, "a2", "e2", 0);
    expect(&w, 0, 0, 0, 0);
    tell(&w, 3, "a3", "e2", 0);
    expect(&w, 1, 3, 0, 0);
    tell(&w, 5, "a3", "e2", 0);
    expect(&w, 3, 1, 1, 1);
    world_deinit(&w);
}

Test(census, holds_an_hour_and_passes_over_what_is_older_or_ahead_of_the_clock)
{
    struct world w;
    world_init(&w);
    tell(&w, 0, "a1", "e1", 0);
    tell(&w, 64, "a2", "e1", 0);
    expect(&w, 6, 2, 2, 2);
    tell(&w, 65, "a3", "e1", 0);
    tell(&w, 4, "a4", "e1", 0); /* an hour and more before */
    tell(&w, 300, "a5", "e1", 6 * MINUTE);
    expect(&w, 3, 1, 1, 1);
    world_deinit(&w);
}
