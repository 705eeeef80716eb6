/* SPDX-License-Identifier: Apache-2.0 */
#include "app/sim/agenda.h"
#include "base/alloc.h"
#include "base/guard.h"

static bool earlier(const struct iv_sim_agenda *agenda, const struct iv_sim_step *a,
                    const struct iv_sim_step *b)
{
    iv_ns ta = agenda->by_arrival ? a->arrival : a->time;
    iv_ns tb = agenda->by_arrival ? b->arrival : b->time;
    return ta != tb ? ta < tb : a->order < b->order;
}

void iv_sim_agenda_deinit(struct iv_sim_agenda *agenda)
{
    iv_free(agenda->steps);
    *agenda = (struct iv_sim_agenda){.by_arrival = agenda->by_arrival};
}

static void swap(struct iv_sim_step *a, struct iv_sim_step *b)
{
    struct iv_sim_step t = *a;
    *a = *b;
    *b = t;
}

iv_rc iv_sim_agenda_add(struct iv_sim_agenda *agenda, const struct iv_sim_step *step, struct iv_err *err)
{
    if (agenda->count == agenda->capacity) {
        size_t capacity = agenda->capacity == 0 ? 1024 : agenda->capacity * 2;
        struct iv_sim_step *steps = iv_realloc(agenda->steps, capacity * sizeof *steps);
        ENSURE(steps != NULL, err, IV_E_NOMEM, "cannot allocate %zu steps of the fleet", capacity);
        agenda->steps = steps;
        agenda->capacity = capacity;
    }
    size_t i = agenda->count++;
    agenda->steps[i] = *step;
    while (i > 0 && earlier(agenda, &agenda->steps[i], &agenda->steps[(i - 1) / 2])) {
        swap(&agenda->steps[i], &agenda->steps[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    return IV_OK;
}

const struct iv_sim_step *iv_sim_agenda_top(const struct iv_sim_agenda *agenda)
{
    return agenda->count == 0 ? NULL : &agenda->steps[0];
}

struct iv_sim_step iv_sim_agenda_take(struct iv_sim_agenda *agenda)
{
    IV_CHECK(agenda->count > 0);
    struct iv_sim_step top = agenda->steps[0];
    agenda->steps[0] = agenda->steps[--agenda->count];
    for (size_t i = 0;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < agenda->count; child++) {
            least = earlier(agenda, &agenda->steps[child], &agenda->steps[least]) ? child : least;
        }
        if (least == i) {
            return top;
        }
        swap(&agenda->steps[i], &agenda->steps[least]);
        i = least;
    }
}
