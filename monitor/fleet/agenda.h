/* SPDX-License-Identifier: Apache-2.0 */
/* What is to come, by time: a binary heap, in which those of equal time stand by their order. */
#pragma once

#include "base/err.h"
#include "base/time.h"

#include <stddef.h>
#include <stdint.h>

struct iv_sim_date {
    iv_ns time;
    uint64_t order;
    void *what; /* whoever added it knows */
    int kind;
};

struct iv_sim_agenda {
    struct iv_sim_date *dates;
    size_t count;
    size_t capacity;
};

void iv_sim_agenda_deinit(struct iv_sim_agenda *agenda);
iv_rc iv_sim_agenda_add(struct iv_sim_agenda *agenda, const struct iv_sim_date *date, struct iv_err *err);
/* The next without taking it; NULL: none. */
const struct iv_sim_date *iv_sim_agenda_top(const struct iv_sim_agenda *agenda);
/* There must be one. */
void iv_sim_agenda_drop(struct iv_sim_agenda *agenda);
/* Puts another in the place of the next one. */
void iv_sim_agenda_replace(struct iv_sim_agenda *agenda, const struct iv_sim_date *date);
