/* SPDX-License-Identifier: Apache-2.0 */
/* Who tries to get in, and how long he has to wait for having failed.
 * Purpose: guessing takes very long, and nobody keeps another one out by guessing wrongly in his name: a
 * quarter of an hour waits only who failed himself, by name and address or by the address alone. The name
 * alone, and whatever comes from this machine, waits some seconds: on a loopback address, as behind a proxy,
 * everybody has the same one. A token that is none waits some seconds too, but not on this machine; one that
 * has the form of those that are made, which nobody guesses, makes no other one wait, unless its address
 * sends hundreds of different ones. Guarantee: however many of those somebody invents, no other failure is
 * forgotten for them: they have a table of their own. An IPv6 address counts as its /64, which one host has
 * to itself. What is tried at the same time counts when it has failed, so right tries never stand in each
 * other's way; there are no more of them than passwords are hashed at a time. Owner/thread: any; time is an
 * argument. */
#pragma once

#include "console/limit.h"

#include <stdbool.h>

struct iv_tries;

struct iv_try {
    struct iv_str name;  /* p NULL: a token, which has none */
    const char *address; /* numeric */
    struct iv_str token; /* of a token that was made: how it begins; else empty */
};

iv_rc iv_tries_new(struct iv_tries **out, struct iv_err *err);
void iv_tries_free(struct iv_tries *tries);

/* 0: he may. */
iv_ns iv_try_left(struct iv_tries *tries, const struct iv_try *who, iv_ns now);
/* True: from now on he has to wait, by name and address or whatever name he tries. */
bool iv_try_failed(struct iv_tries *tries, const struct iv_try *who, iv_ns now);
/* The name is his. */
void iv_try_succeeded(struct iv_tries *tries, const struct iv_try *who);
/* How often in this hour somebody began to have to wait, with this time: of names, or of tokens. */
unsigned iv_tries_lock_outs(struct iv_tries *tries, bool of_a_name, iv_ns now);
