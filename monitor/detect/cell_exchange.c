/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "base/log.h"
#include "detect/cell.h"

static struct iv_rc_s send_packet(void *ctx, uint32_t share, struct iv_str packet, struct iv_err *err)
{
    const struct iv_cell *c = ctx;
    return iv_post_send(c->site->post, c->number, share, packet, err);
}

static void on_gap(void *ctx, enum iv_stream stream, int32_t partition, int64_t from, int64_t to)
{
    const struct iv_cell *c = ctx;
    iv_series_add(IV_SERIES(c->site->metrics, GAPS, c->site->exchange), 1);
    LOG_ERROR("exchange.gap", KV_I64("share", c->number), KV_TEXT("stream", iv_stream_name(stream)),
              KV_I64("partition", partition), KV_I64("from", from), KV_I64("next", to));
}

static iv_rc make_front(struct iv_cell *c, struct iv_err *err)
{
    const struct iv_site *site = c->site;
    struct iv_front_options options = {.deployment = site->deployment,
                                       .baseline = site->baseline,
                                       .partition = c->number,
                                       .shares = (uint32_t)site->width,
                                       .digests = true,
                                       .send = send_packet,
                                       .complaint = iv_cell_complain,
                                       .ctx = c};
    for (size_t i = 0; i < c->source_count; i++) {
        const struct iv_source *s = &c->sources[i];
        options.read[s->stream].topic = site->topics[s->stream];
        options.read[s->stream].next = s->next < 0 ? -1 : s->next;
    }
    return iv_front_new(&c->front, &options, err);
}

static iv_rc make_back(struct iv_cell *c, struct iv_str saved, struct iv_err *err)
{
    const struct iv_site *site = c->site;
    const struct iv_back_options options = {.deployment = site->deployment,
                                            .judge = c->judge,
                                            .baseline = site->baseline,
                                            .share = {(uint32_t)site->width, (uint32_t)c->number},
                                            .topics = {site->topics[IV_LEDGER], site->topics[IV_TELEMETRY]},
                                            .written = &c->written,
                                            .gap = on_gap,
                                            .ctx = c};
    TRY(iv_back_new(&c->back, &options, err));
    return saved.n == 0 ? IV_OK : iv_back_restore(c->back, saved, err);
}

iv_rc iv_cell_join_exchange(struct iv_cell *cell, struct iv_str saved, struct iv_err *err)
{
    switch (cell->kind) {
    case IV_CELL_FRONT:
        return make_front(cell, err);
    case IV_CELL_BACK:
        return make_back(cell, saved, err);
    case IV_CELL_WHOLE:
        break;
    }
    return IV_OK;
}

void iv_cell_leave_exchange(struct iv_cell *cell)
{
    iv_front_free(cell->front);
    iv_back_free(cell->back);
    cell->front = NULL;
    cell->back = NULL;
}

iv_rc iv_cell_flush(struct iv_cell *cell, bool all, struct iv_err *err)
{
    if (cell->front == NULL) {
        return IV_OK;
    }
    iv_ns now = iv_monotonic(&cell->site->clock);
    all = all || cell->flushed == 0 || now - cell->flushed >= iv_front_pace(cell->front);
    cell->flushed = all ? now : cell->flushed;
    return iv_front_flush(cell->front, all, err);
}

/* Another deployment's packets concern us no more than to be told: both go on by their own. */
static void meet_stranger(struct iv_cell *c, const struct iv_record *record, const struct iv_err *why)
{
    iv_series_add(iv_metrics_only(c->site->metrics, IV_METRIC_STRANGERS), 1);
    if (!c->met_stranger) {
        c->met_stranger = true;
        LOG_ERROR("exchange.stranger", KV_STR("topic", c->site->exchange), KV_I64("share", c->number),
                  KV_I64("offset", record->origin.offset), KV_TEXT("why", why->text));
    }
}

iv_rc iv_cell_packet(struct iv_cell *cell, const struct iv_record *record, struct iv_err *err)
{
    struct iv_err why = {.text = ""};
    struct iv_rc_s rc = iv_back_take(cell->back, record->bytes, &why);
    if (rc.code == IV_E_MALFORMED) {
        iv_series_add(IV_SERIES(cell->site->metrics, GAPS, cell->site->exchange), 1);
        LOG_ERROR("exchange.refused", KV_I64("share", cell->number), KV_I64("offset", record->origin.offset),
                  KV_TEXT("why", why.text));
        return IV_OK;
    }
    if (rc.code == IV_E_REFUSED) {
        meet_stranger(cell, record, &why);
        return IV_OK;
    }
    if (!iv_ok(rc)) {
        *err = why;
        return rc;
    }
    if (!iv_ok(cell->failure)) {
        *err = cell->err;
    }
    return cell->failure;
}

iv_rc iv_cell_change_exchange(struct iv_cell *cell, struct iv_err *err)
{
    if (cell->back != NULL) {
        iv_back_reload(cell->back, cell->judge, cell->site->baseline);
    }
    return cell->front == NULL ? IV_OK : iv_front_reload(cell->front, cell->site->baseline, err);
}
