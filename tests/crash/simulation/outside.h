/* SPDX-License-Identifier: Apache-2.0 */
/* The world around a simulated monitor: the input's partitions, the broker that takes what it sends, the
 * endpoint that it calls, and time. It outlives the monitor's crashes, and sees what an auditor could see.
 * Purpose: the product's own keeper, publisher and responder talk to it in place of librdkafka and libcurl:
 * it defines iv_producer_*, iv_tide_look and iv_action_http, so the linker takes those from here.
 * Owner/thread: one at a time, one thread. Everything that may go either way goes as the dice say. */
#pragma once

#include "generate.h"

#include "base/clock.h"
#include "event/event.h"
#include "stream/source.h"

#define OUTSIDE_PARTITIONS 4
#define OUTSIDE_TOPIC_FINDINGS "findings"
#define OUTSIDE_TOPIC_ACTIONS "actions"
#define OUTSIDE_TOPIC_DEAD_LETTERS "dead-letters"
#define OUTSIDE_TOPIC_COMMANDS "commands"

/* One partition of the input. */
struct inflow {
    struct iv_record *records;
    size_t count;
};

/* A message that a topic holds. */
struct sent {
    struct iv_str topic;
    struct iv_str key;
    struct iv_str value;
    struct iv_str idempotency_key;
};

/* Calls of one idempotency key. */
struct effect {
    struct iv_str key;
    unsigned calls;
    unsigned effects; /* the endpoint does what it is asked once for a key */
};

struct outside {
    struct dice dice;
    iv_ns now;         /* true time */
    iv_ns wall_behind; /* so much the machine's wall clock is behind it */
    iv_ns booted;      /* the zero of the monotonic clock */
    bool calm;         /* nothing goes wrong any more */
    struct kept *kept; /* copies of texts */
    struct inflow inflows[IV_STREAMS][OUTSIDE_PARTITIONS];
    struct sent *messages;
    size_t message_count;
    struct effect *effects;
    size_t effect_count;
    struct iv_call **calls; /* that wait for the endpoint's answer */
    size_t call_count;
};

/* Becomes the world of everything that is simulated from now on. */
void outside_init(struct outside *o, uint64_t seed);
void outside_deinit(struct outside *o);

struct iv_clock outside_clock(struct outside *o);
/* The record stands in the topic from now on. */
void outside_append(struct outside *o, const struct arrival *arrival);
