/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated fleet of agents: their traffic on both streams, with violations planted in it.
 * Purpose: one generator for `simulate` (files, a broker) and `demo` (paced by the clock).
 * Owner/thread: one fleet, one thread.
 * Guarantee: the same options give the same bytes. Apart from what is planted, the traffic conforms to
 * every rule that ships, with the figures that ship. Ledger events come in order of their time;
 * telemetry, and a backdated entry that is planted, up to IV_FLEET_DELAY later than its time. Memory
 * grows with the agents, not with the events.
 * How it works: an agent's session, or a case of something planted, is drafted (session.h, plants.h),
 * made into a plan (draft.h), and entered in the agenda; what the agenda lets happen is written
 * (data.h, ledger.h). After each step of a session the quota (quota.h) says whether something is
 * planted beside it.
 * Not here: files and brokers (simulate.c). */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "event/catalogue.h"

#include <stdint.h>

#define IV_FLEET_DELAY (1500 * IV_NS_PER_MS) /* less than the shipped lateness of telemetry, 2s */

struct iv_fleet_options {
    uint64_t seed;
    unsigned agents;
    double violations; /* planted for each event; at most IV_QUOTA_MAX */
    iv_ns start;       /* event time of the beginning; cut to milliseconds, as all times are */
    uint64_t events;   /* after so many nothing happens any more; 0: it goes on for ever */
    /* What takes hours or months to be proven is planted so long before the beginning: such events come
     * first. */
    bool history;
};

/* One event, ready to be written: valid until the next call on the fleet. */
struct iv_fleet_event {
    enum iv_stream stream;
    iv_ns time;
    iv_ns arrival;        /* when a monitor would hear of it; never goes back */
    struct iv_str tenant; /* the Kafka key */
    struct iv_str json;
};

struct iv_fleet_ref {
    struct iv_str source;
    struct iv_str id;
};

/* A planted violation, told when the last of the events that prove it has happened; the slices are valid for
 * the length of the call. */
struct iv_fleet_plant {
    struct iv_str rule;
    struct iv_fleet_ref trigger;
    iv_ns time;
    const struct iv_fleet_ref *witnesses;
    size_t witness_count;
    bool absence; /* certain only when event time has reached the deadline; else now */
    iv_ns deadline;
};
typedef void (*iv_fleet_plant_fn)(void *ctx, const struct iv_fleet_plant *plant);

struct iv_fleet;

iv_rc iv_fleet_new(struct iv_fleet **out, const struct iv_fleet_options *options, iv_fleet_plant_fn planted,
                   void *ctx, struct iv_err *err);
void iv_fleet_free(struct iv_fleet *fleet);
void iv_fleet_freep(struct iv_fleet **fleet);

/* The next event in order of arrival. IV_E_ABSENT: all that happened has arrived, and nothing happens any
 * more. */
iv_rc iv_fleet_next(struct iv_fleet *fleet, struct iv_fleet_event *out, struct iv_err *err);

/* What those who run the fleet are told, and make come true from then on. Names that are none of the fleet's
 * are passed over; what is on its way already arrives.
 * Nobody uses the token any more, neither a session nor what would have been planted. */
void iv_fleet_revoke(struct iv_fleet *fleet, struct iv_str token);
/* The enclave is terminated and its key shredded, under its own agent and tenant: with its session, or at
 * once where that is over. */
iv_rc iv_fleet_terminate(struct iv_fleet *fleet, struct iv_str enclave, iv_ns now, struct iv_err *err);

/* Whether the next event lies before the beginning. */
bool iv_fleet_in_history(const struct iv_fleet *fleet);

/* The time of the newest event that has happened. */
iv_ns iv_fleet_time(const struct iv_fleet *fleet);

/* The fleet's public keys, as the list under "keys:" of a baseline. */
iv_rc iv_fleet_keys_yaml(struct iv_buf *out, const struct iv_fleet *fleet, struct iv_err *err);
