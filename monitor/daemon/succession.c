/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/succession.h"

#include "base/guard.h"
#include "base/log.h"

#define ASK_WAIT (2 * IV_NS_PER_S)
#define PATIENCE (60 * IV_NS_PER_S)

iv_rc iv_succession_init(struct iv_succession *s, struct iv_clock clock, const struct iv_property *properties,
                         size_t property_count, struct iv_str topic, struct iv_err *err)
{
    const struct iv_str topics[IV_STREAMS] = {[IV_LEDGER] = topic};
    *s = (struct iv_succession){.clock = clock, .open = true};
    return iv_ends_open(&s->ends, properties, property_count, topics, err);
}

void iv_succession_deinit(struct iv_succession *s)
{
    iv_ends_close(s->ends);
    s->ends = NULL;
}

void iv_succession_reopen(struct iv_succession *s)
{
    s->open = true;
    s->asked = false;
    s->since = 0;
}

static iv_rc ask(struct iv_succession *s, struct iv_err *err)
{
    int32_t widths[IV_STREAMS] = {0};
    TRY(iv_ends_widths(s->ends, widths, ASK_WAIT, err));
    s->count = (size_t)widths[IV_LEDGER];
    s->count = s->count < IV_SUCCESSION_PARTITIONS ? s->count : IV_SUCCESSION_PARTITIONS;
    for (size_t i = 0; i < s->count; i++) {
        s->at[i] = (struct iv_cursor){.stream = IV_LEDGER, .partition = (int32_t)i};
    }
    TRY(iv_ends_ask(s->ends, s->at, s->count, ASK_WAIT, err));
    for (size_t i = 0; i < s->count; i++) {
        ENSURE(s->at[i].offset >= 0, err, IV_E_BROKER, "the end of partition %zu was not told", i);
    }
    s->asked = true;
    return IV_OK;
}

bool iv_succession_is_over(struct iv_succession *s,
                           bool (*has_read)(void *ctx, const struct iv_cursor *ends, size_t count), void *ctx)
{
    struct iv_err why = {.text = "what it holds was not read in time"};
    iv_ns now = iv_monotonic(&s->clock);
    if (!s->open) {
        return true;
    }
    s->since = s->since == 0 ? now : s->since;
    bool told = s->asked || iv_ok(ask(s, &why));
    if (told && has_read(ctx, s->at, s->count)) {
        s->open = false;
    } else if (now - s->since >= PATIENCE) {
        LOG_ERROR("respond.unheard", KV_TEXT("why", why.text),
                  KV_TEXT("then", "it responds without knowing all that was done before"));
        s->open = false;
    }
    return !s->open;
}
