/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/commit.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/guard.h"
#include "event/decode.h"
#include "respond/playbook.h"

#include <string.h>

/* A dead letter holds its record as base64, and the record is bounded by the decoder's limit and the
 * source's. */
#define LETTER_MAX_BYTES ((size_t)64 << 20)

iv_rc iv_commit_new(struct iv_commit **out, struct iv_baseline *baseline, struct iv_err *err)
{
    struct iv_commit *commit = iv_calloc(1, sizeof *commit);
    ENSURE(commit != NULL, err, IV_E_NOMEM, "cannot allocate a batch's results");
    iv_arena_init(&commit->arena, 0);
    commit->verdicts_end = &commit->verdicts;
    commit->letters_end = &commit->letters;
    commit->alive_as_of = IV_NS_MIN;
    commit->baseline = iv_baseline_ref(baseline);
    *out = commit;
    return IV_OK;
}

void iv_commit_free(struct iv_commit *commit)
{
    if (commit != NULL) {
        iv_baseline_unref(commit->baseline);
        iv_playbooks_unref(commit->playbooks);
        iv_arena_deinit(&commit->arena);
        iv_free(commit);
    }
}

void iv_commit_answer_by(struct iv_commit *commit, struct iv_playbooks *playbooks)
{
    struct iv_playbooks *before = commit->playbooks;
    commit->playbooks = iv_playbooks_ref(playbooks);
    iv_playbooks_unref(before);
}

/* The copy's object is laid out by its event type, whatever layout the engine kept it in:
 * one slot a field. */
static bool dup_object(struct iv_object *object, const struct iv_event_type *type, size_t names,
                       struct iv_arena *arena)
{
    struct iv_val *slots = iv_arena_zalloc(arena, type->slot_count * sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    for (size_t name = 0; name < names; name++) {
        uint8_t from = object->slot_of[name];
        uint8_t to = type->slot_of[name];
        if (from != IV_NO_SLOT && to != IV_NO_SLOT &&
            !iv_val_dup_into(&slots[to], arena, &object->slots[from])) {
            return false;
        }
    }
    *object = (struct iv_object){type->slot_of, slots, NULL};
    return true;
}

static bool dup_sighting(struct iv_sighting *s, size_t names, struct iv_arena *arena)
{
    return iv_arena_keep(arena, &s->source) && iv_arena_keep(arena, &s->id) &&
           iv_arena_keep(arena, &s->origin.topic) && dup_object(&s->object, s->type, names, arena);
}

iv_rc iv_commit_verdict(struct iv_commit *commit, const struct iv_verdict *verdict, iv_ns written,
                        struct iv_err *err)
{
    size_t names = iv_catalogue_names(commit->baseline->catalogue);
    struct iv_verdict_node *node = iv_arena_zalloc(&commit->arena, sizeof *node);
    struct iv_sighting *witnesses =
        iv_arena_alloc(&commit->arena, (verdict->witness_count + 1) * sizeof *witnesses);
    ENSURE(node != NULL && witnesses != NULL, err, IV_E_NOMEM, "cannot allocate a verdict");
    node->verdict = *verdict;
    node->written = written;
    node->ordinal = commit->ordinal;
    bool whole = dup_sighting(&node->verdict.trigger, names, &commit->arena) &&
                 iv_arena_keep(&commit->arena, &node->verdict.detail);
    for (size_t i = 0; whole && i < verdict->witness_count; i++) {
        witnesses[i] = verdict->witnesses[i];
        whole = dup_sighting(&witnesses[i], names, &commit->arena);
    }
    ENSURE(whole, err, IV_E_NOMEM, "cannot allocate a verdict's evidence");
    node->verdict.witnesses = witnesses;
    *commit->verdicts_end = node;
    commit->verdicts_end = &node->next;
    commit->verdict_count++;
    return IV_OK;
}

iv_rc iv_commit_letter(struct iv_commit *commit, const struct iv_record *record, struct iv_str reason,
                       iv_ns wall, struct iv_err *err)
{
    struct iv_letter_node *node = iv_arena_zalloc(&commit->arena, sizeof *node);
    ENSURE(node != NULL, err, IV_E_NOMEM, "cannot allocate a dead letter");
    struct iv_buf json;
    iv_buf_init(&json, LETTER_MAX_BYTES);
    iv_dead_letter_json(&json, record, reason);
    node->letter = (struct iv_dead_letter){
        .topic = record->origin.topic,
        .partition = record->origin.partition,
        .offset = record->origin.offset,
        .reason = reason,
        .json = iv_buf_slice(&json),
        .time = wall,
    };
    bool whole = !iv_buf_failed(&json) && iv_arena_keep(&commit->arena, &node->letter.topic) &&
                 iv_arena_keep(&commit->arena, &node->letter.reason) &&
                 iv_arena_keep(&commit->arena, &node->letter.json);
    iv_buf_deinit(&json);
    ENSURE(whole, err, IV_E_NOMEM, "cannot allocate a dead letter");
    *commit->letters_end = node;
    commit->letters_end = &node->next;
    commit->letter_count++;
    return IV_OK;
}

iv_rc iv_commit_position(struct iv_commit *commit, struct iv_str topic, const struct iv_cursor *next,
                         struct iv_err *err)
{
    for (struct iv_position_node *p = commit->positions; p != NULL; p = p->next) {
        if (p->cursor.stream == next->stream && p->cursor.partition == next->partition) {
            p->cursor.offset = next->offset;
            return IV_OK;
        }
    }
    struct iv_position_node *node = iv_arena_zalloc(&commit->arena, sizeof *node);
    ENSURE(node != NULL, err, IV_E_NOMEM, "cannot allocate a position");
    node->topic = topic;
    node->cursor = *next;
    ENSURE(iv_arena_keep(&commit->arena, &node->topic), err, IV_E_NOMEM, "cannot allocate a position");
    node->next = commit->positions;
    commit->positions = node;
    return IV_OK;
}

iv_rc iv_commit_cover(struct iv_commit *commit, struct iv_str topic, const struct iv_cover *cover,
                      struct iv_err *err)
{
    size_t bytes = cover->loss_count * sizeof *cover->losses;
    struct iv_cover_node *node = iv_arena_zalloc(&commit->arena, sizeof *node);
    struct iv_loss *losses = iv_arena_alloc(&commit->arena, bytes + 1);
    ENSURE(node != NULL && losses != NULL, err, IV_E_NOMEM, "cannot allocate the coverage of a partition");
    node->topic = topic;
    node->cover = *cover;
    if (bytes > 0) {
        memcpy(losses, cover->losses, bytes);
    }
    node->cover.losses = losses;
    ENSURE(iv_arena_keep(&commit->arena, &node->topic), err, IV_E_NOMEM,
           "cannot allocate the coverage of a partition");
    node->next = commit->covers;
    commit->covers = node;
    return IV_OK;
}

iv_rc iv_commit_evicted(struct iv_commit *commit, const struct iv_rule *rule, const struct iv_loss *loss,
                        struct iv_err *err)
{
    struct iv_evicted_node *node = iv_arena_alloc(&commit->arena, sizeof *node);
    ENSURE(node != NULL, err, IV_E_NOMEM, "cannot allocate what a rule had to forget");
    *node = (struct iv_evicted_node){commit->evicted, rule, *loss};
    commit->evicted = node;
    return IV_OK;
}

static iv_rc keep_place(struct iv_commit *commit, const struct iv_cell_place *cell, struct iv_err *err)
{
    if (commit->cell_topic.n == 0) {
        commit->cell_topic = cell->topic;
        commit->cell_partition = cell->partition;
        ENSURE(iv_arena_keep(&commit->arena, &commit->cell_topic), err, IV_E_NOMEM,
               "cannot allocate the name of a cell");
    }
    return IV_OK;
}

iv_rc iv_commit_alive_as_of(struct iv_commit *commit, const struct iv_cell_place *cell, iv_ns as_of,
                            struct iv_err *err)
{
    commit->alive_as_of = as_of;
    return keep_place(commit, cell, err);
}

iv_rc iv_commit_alive(struct iv_commit *commit, const struct iv_alive_row *row, struct iv_err *err)
{
    struct iv_alive_node *node = iv_arena_alloc(&commit->arena, sizeof *node);
    ENSURE(node != NULL, err, IV_E_NOMEM, "cannot allocate who is alive");
    *node = (struct iv_alive_node){commit->alive, *row};
    ENSURE(iv_arena_keep(&commit->arena, &node->row.crowd), err, IV_E_NOMEM, "cannot allocate who is alive");
    commit->alive = node;
    return IV_OK;
}

iv_rc iv_commit_populated(struct iv_commit *commit, const struct iv_cell_place *cell,
                          const struct iv_populated *populated, struct iv_err *err)
{
    struct iv_populated_node *node = iv_arena_alloc(&commit->arena, sizeof *node);
    ENSURE(node != NULL, err, IV_E_NOMEM, "cannot allocate what a rule has judged");
    TRY(keep_place(commit, cell, err));
    *node = (struct iv_populated_node){commit->populations, *populated};
    commit->populations = node;
    return IV_OK;
}
