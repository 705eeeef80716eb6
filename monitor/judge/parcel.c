/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/parcel.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "engine/pack.h"

#include <string.h>

#define KEPT_BYTES (2 * IV_PARCEL_BYTES)

iv_rc iv_parcel_new(struct iv_parcel **out, struct iv_err *err)
{
    struct iv_parcel *parcel = iv_calloc(1, sizeof *parcel);
    ENSURE(parcel != NULL, err, IV_E_NOMEM, "cannot allocate a parcel of events to verify");
    iv_arena_init(&parcel->arena, 0);
    *out = parcel;
    return IV_OK;
}

void iv_parcel_free(struct iv_parcel *parcel)
{
    if (parcel != NULL) {
        iv_commit_free(parcel->before);
        iv_arena_deinit(&parcel->arena);
        iv_free(parcel);
    }
}

void iv_parcel_reset(struct iv_parcel *parcel)
{
    if (parcel->arena.total_bytes > KEPT_BYTES) {
        iv_arena_deinit(&parcel->arena);
    }
    iv_arena_reset(&parcel->arena);
    iv_commit_free(parcel->before);
    parcel->before = NULL;
    parcel->move_count = 0;
    parcel->event_count = 0;
    parcel->bytes = 0;
}

static size_t size_of(const struct iv_move *move)
{
    size_t n = move->record->bytes.n + IV_RECORD_PADDING;
    for (size_t i = 0; i < move->record->header_count; i++) {
        n += move->record->headers[i].name.n + move->record->headers[i].value.n;
    }
    for (size_t i = 0; move->event != NULL && i < move->event->type->slot_count; i++) {
        n += sizeof(struct iv_val) + iv_pack_size(&move->event->slots[i]);
    }
    return n;
}

bool iv_parcel_fits(const struct iv_parcel *parcel, const struct iv_move *move)
{
    if (parcel->move_count == IV_PARCEL_MOVES) {
        return false;
    }
    return move->record == NULL ||
           (parcel->event_count < IV_PARCEL_EVENTS &&
            (parcel->event_count == 0 || parcel->bytes + size_of(move) <= IV_PARCEL_BYTES));
}

static bool copy_headers(struct iv_record *copy, struct iv_arena *arena)
{
    if (copy->header_count == 0) {
        return true;
    }
    struct iv_header *headers = iv_arena_alloc(arena, copy->header_count * sizeof *headers);
    bool whole = headers != NULL;
    for (size_t i = 0; whole && i < copy->header_count; i++) {
        headers[i] = copy->headers[i];
        whole = iv_arena_keep(arena, &headers[i].name) && iv_arena_keep(arena, &headers[i].value);
    }
    copy->headers = headers;
    return whole;
}

static const struct iv_record *copy_record(struct iv_arena *arena, const struct iv_record *record)
{
    struct iv_record *copy = iv_arena_alloc(arena, sizeof *copy);
    char *bytes = iv_arena_alloc(arena, record->bytes.n + IV_RECORD_PADDING);
    if (copy == NULL || bytes == NULL) {
        return NULL;
    }
    *copy = *record;
    copy->bytes.p = bytes;
    if (record->bytes.n > 0) {
        memcpy(bytes, record->bytes.p, record->bytes.n);
    }
    memset(bytes + record->bytes.n, 0, IV_RECORD_PADDING);
    return copy_headers(copy, arena) ? copy : NULL;
}

/* An event, its seal and its slots in one piece; the record is that of the parcel. */
struct copied_event {
    struct iv_event event;
    struct iv_seal seal;
    struct iv_val slots[];
};

static const struct iv_event *copy_event(struct iv_arena *arena, const struct iv_event *event,
                                         const struct iv_record *record)
{
    size_t count = event->type->slot_count;
    struct copied_event *copy = iv_arena_alloc(arena, sizeof *copy + count * sizeof(struct iv_val));
    if (copy == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (!iv_val_dup_into(&copy->slots[i], arena, &event->slots[i])) {
            return NULL;
        }
    }
    copy->event = *event;
    copy->seal = *event->seal;
    copy->event.record = record;
    copy->event.seal = &copy->seal;
    copy->event.slots = copy->slots;
    copy->event.object = (struct iv_object){event->type->slot_of, copy->slots, &copy->event};
    return &copy->event;
}

iv_rc iv_parcel_add(struct iv_parcel *parcel, const struct iv_move *move, struct iv_err *err)
{
    struct iv_move *added = &parcel->moves[parcel->move_count];
    *added = *move;
    if (move->record != NULL) {
        added->record = copy_record(&parcel->arena, move->record);
        ENSURE(added->record != NULL, err, IV_E_NOMEM, "cannot allocate a record of %zu bytes to verify",
               move->record->bytes.n);
        parcel->bytes += size_of(move);
        parcel->event_count++;
    }
    if (move->event != NULL) {
        added->event = copy_event(&parcel->arena, move->event, added->record);
        ENSURE(added->event != NULL, err, IV_E_NOMEM, "cannot allocate an event to verify");
    }
    parcel->move_count++;
    return IV_OK;
}
