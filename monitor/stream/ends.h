/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the broker where partitions end.
 * Purpose: whoever has read up to an end that was told has all that had been written when it was asked for.
 * Nothing else proves that a silent partition is silent: what was read last may be old because the broker,
 * the network or this process stood still.
 * Owner/thread: one thread. A client of its own, so that a question never waits behind a fetch that waits for
 * records.
 * Guarantee: an end is that of the log. What an open transaction holds back lies before it: it may yet become
 * visible, so until then nobody has read to the end. */
#pragma once

#include "base/err.h"
#include "base/time.h"
#include "stream/property.h"
#include "stream/source.h"

struct iv_ends;

/* Does not wait for a broker. Of a topic with n 0 nothing is asked. IV_E_REFUSED: a property is unknown or
 * has a wrong value. */
iv_rc iv_ends_open(struct iv_ends **out, const struct iv_property *properties, size_t property_count,
                   const struct iv_str topics[IV_STREAMS], struct iv_err *err);
void iv_ends_close(struct iv_ends *ends);
void iv_ends_closep(struct iv_ends **ends);

/* Sets each cursor's offset to its partition's end; -1 where its leader did not say. IV_E_BROKER: nobody
 * answered within `wait`. */
iv_rc iv_ends_ask(struct iv_ends *ends, struct iv_cursor *at, size_t count, iv_ns wait, struct iv_err *err);

/* How many partitions each topic has, 0 where there is none; of others than it was told of last, nobody says
 * where they end. IV_E_BROKER: it was not told within `wait`, or a topic is missing. */
iv_rc iv_ends_widths(struct iv_ends *ends, int32_t widths[IV_STREAMS], iv_ns wait, struct iv_err *err);
