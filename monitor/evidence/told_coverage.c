/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/told.h"

#include "base/encode.h"
#include "base/guard.h"
#include "evidence/coverage.h"
#include "evidence/told_internal.h"

static iv_rc read_loss(struct iv_loss *out, const struct iv_val *loss, struct iv_err *err)
{
    struct iv_str cause;
    int64_t records = 0;
    TRY(iv_told_text(&cause, loss, "cause", err));
    ENSURE(iv_loss_of(&out->cause, cause), err, IV_E_MALFORMED,
           "losses: the cause '" IV_STR_FMT "' is none of those that there are", IV_STR_ARG(cause));
    TRY(iv_told_time(&out->from, loss, "from", err));
    TRY(iv_told_time(&out->until, loss, "until", err));
    TRY(iv_told_int(&records, loss, "records", 0, INT64_MAX, err));
    ENSURE(out->from < out->until, err, IV_E_MALFORMED, "losses: one ends before it begins");
    out->records = (uint64_t)records;
    return IV_OK;
}

static iv_rc read_losses(struct iv_cover *out, struct iv_arena *arena, const struct iv_val *told,
                         struct iv_err *err)
{
    const struct iv_val *list = iv_told_at(told, "losses");
    ENSURE(list != NULL && list->kind == IV_KIND_LIST, err, IV_E_MALFORMED, "losses: must be a list");
    struct iv_loss *losses = iv_arena_alloc(arena, (list->n + 1U) * sizeof *losses);
    ENSURE(losses != NULL, err, IV_E_NOMEM, "cannot allocate a partition's coverage");
    for (uint32_t i = 0; i < list->n; i++) {
        TRY(read_loss(&losses[i], &list->items[i], err));
    }
    out->losses = losses;
    out->loss_count = list->n;
    return IV_OK;
}

static iv_rc read_stream(enum iv_stream *out, const struct iv_val *told, struct iv_err *err)
{
    struct iv_str name;
    TRY(iv_told_text(&name, told, "stream", err));
    for (*out = 0; *out < IV_STREAMS; (*out)++) {
        if (iv_str_eq(name, iv_str_of(iv_stream_name(*out)))) {
            return IV_OK;
        }
    }
    return iv_err_set(err, IV_E_MALFORMED, "stream: is '" IV_STR_FMT "', must be ledger or telemetry",
                      IV_STR_ARG(name));
}

static iv_rc read_partition(struct iv_told_coverage *out, const struct iv_val *told, struct iv_err *err)
{
    struct iv_str state;
    int64_t partition = 0;
    TRY(iv_told_text(&out->topic, told, "topic", err));
    TRY(iv_told_int(&partition, told, "partition", 0, INT32_MAX, err));
    TRY(read_stream(&out->cover.stream, told, err));
    TRY(iv_told_text(&state, told, "state", err));
    ENSURE(iv_cover_state_of(&out->cover.state, state), err, IV_E_MALFORMED,
           "state: is '" IV_STR_FMT "', must be read, blind or away", IV_STR_ARG(state));
    TRY(iv_told_time(&out->cover.first, told, "first", err));
    TRY(iv_told_time(&out->cover.reach, told, "reach", err));
    out->cover.partition = (int32_t)partition;
    return IV_OK;
}

static iv_rc read_population(struct iv_population_row *out, const struct iv_val *item, iv_ns hour,
                             struct iv_err *err)
{
    TRY(iv_told_text(&out->rule, item, "rule", err));
    TRY(iv_told_time(&out->since, item, "since", err));
    TRY(iv_told_int(&out->count, item, "count", 0, INT64_MAX, err));
    out->hour = hour;
    return IV_OK;
}

static iv_rc read_cell(struct iv_told_coverage *out, const struct iv_val *told, struct iv_err *err)
{
    int64_t partition = 0;
    TRY(iv_told_text(&out->topic, told, "topic", err));
    TRY(iv_told_int(&partition, told, "partition", 0, INT32_MAX, err));
    out->cover.partition = (int32_t)partition;
    return IV_OK;
}

static iv_rc read_crowd(struct iv_alive_row *out, struct iv_arena *arena, const struct iv_val *item,
                        struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf bytes;
    IV_AUTO(iv_crowd_deinit) struct iv_crowd crowd = {.hashes = NULL};
    struct iv_str kind;
    struct iv_str text;
    bool bad = false;
    iv_buf_init(&bytes, IV_CROWD_BYTES + 1);
    TRY(iv_told_text(&kind, item, "kind", err));
    ENSURE(iv_alive_of(&out->kind, kind), err, IV_E_MALFORMED,
           "alive: the kind '" IV_STR_FMT "' is none of those that there are", IV_STR_ARG(kind));
    TRY(iv_told_time(&out->span, item, "as_of", err));
    TRY(iv_told_text(&text, item, "crowd", err));
    bool whole = iv_base64_decode(&bytes, text) && iv_crowd_read(&crowd, &bad, iv_buf_slice(&bytes));
    ENSURE(whole && !bad, err, IV_E_MALFORMED, "alive: the crowd of %s is damaged", iv_alive_name(out->kind));
    out->crowd = iv_buf_slice(&bytes);
    ENSURE(iv_arena_keep(arena, &out->crowd), err, IV_E_NOMEM, "cannot allocate who is alive");
    return IV_OK;
}

static iv_rc read_alive(struct iv_told_coverage *out, struct iv_arena *arena, const struct iv_val *told,
                        const struct iv_val *list, struct iv_err *err)
{
    ENSURE(list->kind == IV_KIND_LIST, err, IV_E_MALFORMED, "alive: must be a list");
    TRY(read_cell(out, told, err));
    struct iv_alive_row *rows = iv_arena_alloc(arena, (list->n + 1U) * sizeof *rows);
    ENSURE(rows != NULL, err, IV_E_NOMEM, "cannot allocate who is alive");
    for (uint32_t i = 0; i < list->n; i++) {
        TRY(read_crowd(&rows[i], arena, &list->items[i], err));
    }
    out->alive = rows;
    out->alive_count = list->n;
    return IV_OK;
}

static iv_rc read_populations(struct iv_told_coverage *out, struct iv_arena *arena, const struct iv_val *told,
                              const struct iv_val *list, struct iv_err *err)
{
    iv_ns hour = IV_NS_MIN;
    ENSURE(list->kind == IV_KIND_LIST, err, IV_E_MALFORMED, "populations: must be a list");
    TRY(read_cell(out, told, err));
    if (iv_told_at(told, "hour") != NULL) {
        TRY(iv_told_time(&hour, told, "hour", err));
        ENSURE(hour == iv_population_hour(hour), err, IV_E_MALFORMED, "hour: is not the beginning of one");
    }
    struct iv_population_row *rows = iv_arena_alloc(arena, (list->n + 1U) * sizeof *rows);
    ENSURE(rows != NULL, err, IV_E_NOMEM, "cannot allocate what rules have judged");
    for (uint32_t i = 0; i < list->n; i++) {
        TRY(read_population(&rows[i], &list->items[i], hour, err));
        ENSURE(hour != IV_NS_MIN || rows[i].count == 0, err, IV_E_MALFORMED,
               "populations: a count needs an hour");
    }
    out->populations = rows;
    out->population_count = list->n;
    return IV_OK;
}

iv_rc iv_told_coverage_read(struct iv_told_coverage *out, struct iv_decoder *decoder, struct iv_arena *arena,
                            struct iv_str json, struct iv_err *err)
{
    struct iv_val told;
    *out = (struct iv_told_coverage){.rule = IV_STR("")};
    TRY(iv_told_parse(&told, decoder, arena, json, err));
    const struct iv_val *populations = iv_told_at(&told, "populations");
    if (populations != NULL) {
        return read_populations(out, arena, &told, populations, err);
    }
    const struct iv_val *alive = iv_told_at(&told, "alive");
    if (alive != NULL) {
        return read_alive(out, arena, &told, alive, err);
    }
    TRY(read_losses(&out->cover, arena, &told, err));
    out->rule = iv_told_text_or_empty(&told, "rule");
    return out->rule.n > 0 ? IV_OK : read_partition(out, &told, err);
}
