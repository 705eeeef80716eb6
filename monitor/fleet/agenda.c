/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/agenda.h"
#include "base/alloc.h"
#include "base/guard.h"

static bool earlier(const struct iv_sim_date *a, const struct iv_sim_date *b)
{
    return a->time != b->time ? a->time < b->time : a->order < b->order;
}

void iv_sim_agenda_deinit(struct iv_sim_agenda *agenda)
{
    iv_free(agenda->dates);
    *agenda = (struct iv_sim_agenda){.count = 0};
}

iv_rc iv_sim_agenda_add(struct iv_sim_agenda *agenda, const struct iv_sim_date *date, struct iv_err *err)
{
    if (agenda->count == agenda->capacity) {
        size_t capacity = agenda->capacity == 0 ? 1024 : agenda->capacity * 2;
        struct iv_sim_date *dates = iv_realloc(agenda->dates, capacity * sizeof *dates);
        ENSURE(dates != NULL, err, IV_E_NOMEM, "cannot allocate %zu dates of the fleet", capacity);
        agenda->dates = dates;
        agenda->capacity = capacity;
    }
    size_t i = agenda->count++;
    for (; i > 0 && earlier(date, &agenda->dates[(i - 1) / 2]); i = (i - 1) / 2) {
        agenda->dates[i] = agenda->dates[(i - 1) / 2];
    }
    agenda->dates[i] = *date;
    return IV_OK;
}

const struct iv_sim_date *iv_sim_agenda_top(const struct iv_sim_agenda *agenda)
{
    return agenda->count == 0 ? NULL : &agenda->dates[0];
}

void iv_sim_agenda_replace(struct iv_sim_agenda *agenda, const struct iv_sim_date *date)
{
    struct iv_sim_date moved = *date;
    IV_CHECK(agenda->count > 0);
    for (size_t i = 0;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < agenda->count && earlier(&agenda->dates[child + 1], &agenda->dates[child])) {
            child++;
        }
        if (child >= agenda->count || !earlier(&agenda->dates[child], &moved)) {
            agenda->dates[i] = moved;
            return;
        }
        agenda->dates[i] = agenda->dates[child];
        i = child;
    }
}

void iv_sim_agenda_drop(struct iv_sim_agenda *agenda)
{
    IV_CHECK(agenda->count > 0);
    struct iv_sim_date last = agenda->dates[--agenda->count];
    if (agenda->count > 0) {
        iv_sim_agenda_replace(agenda, &last);
    }
}
