/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep_step.h"
#include "base/fault.h"
#include "base/guard.h"
#include "daemon/journal.h"
#include "evidence/coverage.h"
#include "evidence/coverage_text.h"
#include "evidence/finding.h"
#include "evidence/population.h"
#include "judge/commit.h"
#include "respond/alert/alert.h"
#include "respond/alert/canary.h"
#include "respond/playbook.h"

#include <inttypes.h>
#include <stdio.h>

#define FINDING_MAX_BYTES ((size_t)8 << 20)
#define ROWS_AT_ONCE 64
#define CANARY_AHEAD_MAX (60 * IV_NS_PER_S)

void iv_keep_step_init(struct iv_keep_step *step, struct iv_store *store, struct iv_clock clock)
{
    *step = (struct iv_keep_step){.store = store, .clock = clock};
    iv_buf_init(&step->scratch, FINDING_MAX_BYTES);
}

void iv_keep_step_deinit(struct iv_keep_step *step)
{
    iv_buf_deinit(&step->scratch);
}

static iv_rc publish_finding(struct iv_keep_step *k, const struct iv_finding *row, struct iv_err *err)
{
    struct iv_posting posting = {
        .channel = IV_CHANNEL_FINDING, .key = row->uid, .value = row->ocsf, .time = row->detected};
    return iv_store_post(k->store, NULL, &posting, err);
}

/* A canary leaves one trace: when the last that was measured had been written to its partition, so that what
 * is read again after a restart is not measured again. Who writes may claim any time: not one that is to
 * come. Where there are sinks, it goes on to them as a synthetic alert, if one is due. */
static iv_rc keep_canary(struct iv_keep_step *k, struct iv_verdict_node *node, struct iv_err *err)
{
    const struct iv_origin *at = &node->verdict.trigger.origin;
    char name[64];
    char text[32];
    char room[64];
    IV_AUTO(iv_buf_deinit) struct iv_buf last;
    iv_buf_init_lent(&last, room, sizeof room, sizeof room - 1);
    (void)snprintf(name, sizeof name, "canary.%d/%d", (int)at->stream, (int)at->partition);
    (void)snprintf(text, sizeof text, "%020lld", (long long)node->written);
    struct iv_rc_s rc = iv_store_fact(k->store, &last, iv_str_of(name), err);
    if (rc.code != IV_E_ABSENT) {
        TRY(rc);
    }
    node->fresh = node->written > 0 && node->written <= iv_wall(&k->clock) + CANARY_AHEAD_MAX &&
                  iv_str_cmp(iv_str_of(text), iv_buf_slice(&last)) > 0;
    if (!node->fresh) {
        return IV_OK;
    }
    TRY(iv_store_put_fact(k->store, iv_str_of(name), iv_str_of(text), err));
    return k->alerter == NULL ? IV_OK
                              : iv_alerter_canary_found(k->alerter, k->store, node->verdict.rule->id,
                                                        node->written, iv_wall(&k->clock), err);
}

static iv_rc keep_verdict(struct iv_keep_step *k, const struct iv_commit *commit,
                          struct iv_verdict_node *node, enum iv_put *put, struct iv_err *err)
{
    struct iv_finding row;
    iv_ns wall = iv_wall(&k->clock);
    TRY(iv_finding_of_verdict(&row, &k->scratch, commit->baseline, &node->verdict, wall, err));
    TRY(iv_store_put_finding(k->store, put, &row, err));
    if (*put == IV_PUT_SAME) {
        return IV_OK;
    }
    TRY(publish_finding(k, &row, err));
    if (k->alerter != NULL) {
        TRY(iv_alerter_finding(k->alerter, k->store, &row, *put, wall, err));
    }
    if (commit->playbooks != NULL && *put == IV_PUT_NEW) {
        TRY(iv_respond_plan(commit->playbooks, k->store, &row, &node->verdict, commit->baseline, wall, err));
    }
    return IV_OK;
}

static iv_rc keep_letter(struct iv_keep_step *k, const struct iv_dead_letter *letter, struct iv_err *err)
{
    bool fresh = false;
    TRY(iv_store_put_dead_letter(k->store, &fresh, letter, err));
    if (!fresh) {
        return IV_OK;
    }
    char key[96];
    int n = snprintf(key, sizeof key, "%.*s/%lld/%lld", (int)(letter->topic.n < 48 ? letter->topic.n : 48),
                     letter->topic.p, (long long)letter->partition, (long long)letter->offset);
    struct iv_posting posting = {.channel = IV_CHANNEL_DEAD_LETTER,
                                 .key = {key, (size_t)n},
                                 .value = letter->json,
                                 .time = letter->time};
    return iv_store_post(k->store, NULL, &posting, err);
}

static iv_rc post_coverage(struct iv_keep_step *k, const char *key, const struct iv_buf *text,
                           struct iv_err *err)
{
    TRY(iv_buf_check(text, "coverage", err));
    const struct iv_posting posting = {.channel = IV_CHANNEL_COVERAGE,
                                       .key = iv_str_of(key),
                                       .value = iv_buf_slice(text),
                                       .time = iv_wall(&k->clock)};
    return iv_store_post(k->store, NULL, &posting, err);
}

/* The topic may be compacted: the newest of a partition says all. */
static iv_rc tell_cover(struct iv_keep_step *k, struct iv_str topic, const struct iv_cover *cover,
                        struct iv_err *err)
{
    char key[320];
    (void)snprintf(key, sizeof key, IV_STR_FMT "/%" PRId32, IV_STR_ARG(topic), cover->partition);
    iv_buf_clear(&k->scratch);
    iv_cover_text(&k->scratch, topic, cover);
    return post_coverage(k, key, &k->scratch, err);
}

static iv_rc keep_cover(struct iv_keep_step *k, const struct iv_cover_node *node, struct iv_err *err)
{
    bool due = false;
    TRY(iv_store_put_cover(k->store, node->topic, &node->cover, err));
    if (k->tells_coverage) {
        TRY(iv_store_claim_cover(k->store, &due, node->topic, node->cover.partition, iv_wall(&k->clock),
                                 err));
    }
    return due ? tell_cover(k, node->topic, &node->cover, err) : IV_OK;
}

/* Each loss has a key of its own, or compaction would take it away. */
static iv_rc keep_evicted(struct iv_keep_step *k, const struct iv_evicted_node *node, struct iv_err *err)
{
    char key[320];
    const struct iv_loss *loss = &node->loss;
    TRY(iv_store_add_rule_loss(k->store, node->rule->id, loss, err));
    if (!k->tells_coverage) {
        return IV_OK;
    }
    (void)snprintf(key, sizeof key, "rule/" IV_STR_FMT "/%s/%" PRId64 "/%" PRId64, IV_STR_ARG(node->rule->id),
                   iv_loss_name(loss->cause), loss->from, loss->until);
    iv_buf_clear(&k->scratch);
    iv_rule_loss_text(&k->scratch, node->rule->id, loss);
    return post_coverage(k, key, &k->scratch, err);
}

static iv_rc tell_population(void *ctx, struct iv_str key, struct iv_str text, struct iv_err *err)
{
    struct iv_keep_step *k = ctx;
    const struct iv_posting posting = {
        .channel = IV_CHANNEL_COVERAGE, .key = key, .value = text, .time = iv_wall(&k->clock)};
    return iv_store_post(k->store, NULL, &posting, err);
}

static iv_rc keep_populations(struct iv_keep_step *k, const struct iv_commit *commit, struct iv_err *err)
{
    struct iv_population_row rows[ROWS_AT_ONCE];
    size_t count = 0;
    for (const struct iv_populated_node *n = commit->populations; n != NULL; n = n->next) {
        const struct iv_populated *p = &n->populated;
        rows[count++] = (struct iv_population_row){p->rule->id, p->since, p->hour,
                                                   p->count > INT64_MAX ? INT64_MAX : (int64_t)p->count};
        if (count == IV_COUNT(rows) || n->next == NULL) {
            TRY(iv_store_put_population(k->store, commit->cell_topic, commit->cell_partition, rows, count,
                                        iv_wall(&k->clock), true, err));
            count = 0;
        }
    }
    return k->tells_coverage && commit->populations != NULL
               ? iv_store_tell_populations(k->store, iv_wall(&k->clock), false, tell_population, k, err)
               : IV_OK;
}

/* The topic may be compacted: the newest of a cell says all. */
static iv_rc tell_alive(struct iv_keep_step *k, const struct iv_commit *commit, struct iv_err *err)
{
    char key[320];
    (void)snprintf(key, sizeof key, "alive/" IV_STR_FMT "/%" PRId32, IV_STR_ARG(commit->cell_topic),
                   commit->cell_partition);
    iv_buf_clear(&k->scratch);
    TRY(iv_store_alive_text(k->store, &k->scratch, commit->cell_topic, commit->cell_partition, err));
    return post_coverage(k, key, &k->scratch, err);
}

static iv_rc keep_alive(struct iv_keep_step *k, const struct iv_commit *commit, struct iv_err *err)
{
    struct iv_alive_row rows[IV_ALIVE_SPANS * IV_ALIVE_KINDS];
    size_t count = 0;
    if (commit->alive_as_of == IV_NS_MIN) {
        return IV_OK;
    }
    for (const struct iv_alive_node *n = commit->alive; n != NULL && count < IV_COUNT(rows); n = n->next) {
        rows[count++] = n->row;
    }
    TRY(iv_store_put_alive(k->store, commit->cell_topic, commit->cell_partition, commit->alive_as_of, rows,
                           count, err));
    return k->tells_coverage ? tell_alive(k, commit, err) : IV_OK;
}

static iv_rc keep_commit(struct iv_keep_step *k, struct iv_commit *commit, struct iv_err *err)
{
    if (commit->takes_force) {
        TRY(iv_journal_baseline(k->store, commit->baseline, err));
    }
    for (struct iv_verdict_node *node = commit->verdicts; node != NULL; node = node->next) {
        if (node->verdict.rule->mode == IV_MODE_CANARY) {
            TRY(keep_canary(k, node, err));
            continue;
        }
        enum iv_put put = IV_PUT_SAME;
        TRY(keep_verdict(k, commit, node, &put, err));
        node->fresh = put == IV_PUT_NEW;
    }
    for (const struct iv_letter_node *node = commit->letters; node != NULL; node = node->next) {
        TRY(keep_letter(k, &node->letter, err));
    }
    for (const struct iv_position_node *p = commit->positions; p != NULL; p = p->next) {
        TRY(iv_store_put_position(k->store, p->topic, p->cursor.partition, p->cursor.offset, err));
    }
    for (const struct iv_evicted_node *e = commit->evicted; e != NULL; e = e->next) {
        TRY(keep_evicted(k, e, err));
    }
    for (const struct iv_cover_node *c = commit->covers; c != NULL; c = c->next) {
        TRY(keep_cover(k, c, err));
    }
    TRY(keep_alive(k, commit, err));
    return keep_populations(k, commit, err);
}

iv_rc iv_keep_write(struct iv_keep_step *k, struct iv_commit *const *group, size_t count, struct iv_err *err)
{
    TRY(iv_store_begin(k->store, err));
    for (size_t i = 0; i < count; i++) {
        struct iv_rc_s rc = keep_commit(k, group[i], err);
        if (!iv_ok(rc)) {
            iv_store_rollback(k->store);
            return rc;
        }
    }
    iv_fault("keep.before_commit");
    TRY(iv_store_commit(k->store, err));
    iv_fault("keep.committed");
    return IV_OK;
}

static iv_rc tell_last(void *ctx, struct iv_str topic, const struct iv_cover *cover, struct iv_err *err)
{
    return tell_cover(ctx, topic, cover, err);
}

iv_rc iv_keep_last_words(struct iv_keep_step *k, struct iv_reader *reader, struct iv_err *err)
{
    if (!k->tells_coverage) {
        return IV_OK;
    }
    TRY(iv_store_begin(k->store, err));
    struct iv_rc_s rc = iv_reader_covers(reader, tell_last, k, err);
    rc = iv_ok(rc) ? iv_store_tell_populations(k->store, iv_wall(&k->clock), true, tell_population, k, err)
                   : rc;
    if (!iv_ok(rc)) {
        iv_store_rollback(k->store);
        return rc;
    }
    return iv_store_commit(k->store, err);
}
