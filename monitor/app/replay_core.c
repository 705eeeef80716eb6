/* SPDX-License-Identifier: Apache-2.0 */
#include "app/replay_core.h"
#include "base/guard.h"
#include "base/log.h"
#include "daemon/load.h"

static void complain(void *ctx, const struct iv_rule *rule, const struct iv_event *event,
                     const struct iv_err *why)
{
    (void)ctx;
    LOG_WARN("rule.expression_failed", KV_STR("rule", rule->id),
             KV_STR("source", iv_event_attr(event, IV_ATTR_SOURCE)),
             KV_STR("id", iv_event_attr(event, IV_ATTR_ID)), KV_TEXT("text", why->text));
}

static iv_rc choose_catalogue(const struct iv_catalogue **out, struct iv_replay_core *core,
                              struct iv_err *err)
{
    if (core->baseline != NULL) {
        *out = core->baseline->catalogue;
        return IV_OK;
    }
    TRY(iv_catalogue_new(&core->catalogue, err));
    TRY(iv_catalogue_freeze(core->catalogue, err));
    *out = core->catalogue;
    return IV_OK;
}

iv_rc iv_replay_core_open(struct iv_replay_core *out, const struct iv_replay_core_options *options,
                          struct iv_err *err)
{
    *out = (struct iv_replay_core){.baseline = NULL};
    for (size_t i = 0; i < IV_COUNT(out->pending); i++) {
        iv_arena_init(&out->pending[i].arena, 0);
    }
    if (options->loaded != NULL) {
        out->baseline = iv_baseline_ref(options->loaded);
    } else if (options->baseline != NULL) {
        TRY(iv_load_baseline(&out->baseline, NULL, iv_str_of(options->baseline), err));
    }
    const struct iv_catalogue *catalogue = NULL;
    TRY(choose_catalogue(&catalogue, out, err));
    struct iv_hash_key key = iv_hash_key_random();
    const struct iv_decode_limits limits = IV_DECODE_LIMITS_DEFAULT;
    TRY(iv_decoder_new(&out->decoder, catalogue, &limits, key, err));
    TRY(iv_replay_output_open(&out->output, options->format, &options->modes, &options->paths, out->baseline,
                              err));
    if (!options->evaluate) {
        return IV_OK;
    }
    const struct iv_judge_options judge = {.baseline = out->baseline,
                                           .verdict = iv_replay_output_verdict,
                                           .complaint = complain,
                                           .ctx = &out->output,
                                           .digests = options->format == IV_REPLAY_OCSF,
                                           .hash_key = key,
                                           .verifiers = options->verifiers};
    return iv_judge_new(&out->judge, &judge, err);
}

void iv_replay_core_close(struct iv_replay_core *core)
{
    iv_judge_free(core->judge);
    iv_decoder_free(core->decoder);
    iv_catalogue_free(core->catalogue);
    iv_replay_output_close(&core->output);
    for (size_t i = 0; i < IV_COUNT(core->pending); i++) {
        iv_arena_deinit(&core->pending[i].arena);
    }
    iv_baseline_unref(core->baseline);
}

iv_rc iv_replay_core_partitions(struct iv_replay_core *core, const struct iv_words files[IV_STREAMS],
                                struct iv_err *err)
{
    for (size_t s = 0; core->judge != NULL && s < IV_STREAMS; s++) {
        for (size_t i = 0; i < files[s].count; i++) {
            TRY(iv_judge_open(core->judge, (enum iv_stream)s, (int32_t)i, err));
        }
    }
    return IV_OK;
}

iv_rc iv_replay_core_judge(struct iv_replay_core *core, struct iv_err *err)
{
    struct iv_event *events[IV_FORESEEN];
    size_t count = core->pending_count;
    core->pending_count = 0;
    for (size_t i = 0; i < count; i++) {
        events[i] = &core->pending[i].event;
    }
    if (count > 0) {
        iv_judge_foresee(core->judge, events, count);
    }
    for (size_t i = 0; i < count; i++) {
        TRY(iv_judge_event(core->judge, events[i], err));
    }
    return IV_OK;
}

static iv_rc take_letter(struct iv_replay_core *core, const struct iv_record *record, struct iv_str reason,
                         struct iv_err *err)
{
    if (core->output.dead_letters.to == stdout) {
        TRY(iv_replay_core_settle(core, err)); /* behind the findings of what came before */
    }
    iv_replay_output_dead_letter(&core->output, record, reason);
    return IV_OK;
}

iv_rc iv_replay_core_record(struct iv_replay_core *core, const struct iv_record *record, iv_ns *time,
                            struct iv_err *err)
{
    struct iv_pending *pending = &core->pending[core->pending_count];
    struct iv_err why;
    iv_arena_reset(&pending->arena);
    struct iv_rc_s rc = iv_decode(core->decoder, record, &pending->arena, &pending->event, &why);
    if (rc.code == IV_E_MALFORMED) {
        return take_letter(core, record, iv_str_of(why.text), err);
    }
    if (!iv_ok(rc)) {
        *err = why;
        return rc;
    }
    core->events++;
    *time = pending->event.time;
    core->pending_count += core->judge == NULL ? 0 : 1;
    return core->pending_count < IV_COUNT(core->pending) ? IV_OK : iv_replay_core_judge(core, err);
}

iv_rc iv_replay_core_end(struct iv_replay_core *core, struct iv_err *err)
{
    if (core->judge == NULL) {
        return IV_OK;
    }
    TRY(iv_replay_core_judge(core, err));
    return iv_judge_finish(core->judge, err);
}

iv_rc iv_replay_core_settle(struct iv_replay_core *core, struct iv_err *err)
{
    if (core->judge == NULL) {
        return IV_OK;
    }
    struct iv_rc_s judged = iv_replay_core_judge(core, err);
    /* In any case: the verifying threads must have written what they find before somebody else does. */
    struct iv_err second;
    struct iv_rc_s settled = iv_judge_settle(core->judge, iv_ok(judged) ? err : &second);
    TRY(judged);
    return settled;
}
