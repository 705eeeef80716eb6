/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's hash chain and canonical JSON.
 * Source: RFC 8785 (JCS); contract "Events", hash chain. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "event/event.h"

struct iv_decoder;

/* Appends the canonical form (RFC 8785) of a JSON text, without the top-level member named omit (NULL: all of
 * it). IV_E_SYNTAX: not JSON, or not I-JSON (a member twice, a lone surrogate, a number that no double
 * holds). */
iv_rc iv_jcs(struct iv_buf *out, struct iv_decoder *decoder, struct iv_str json, const char *omit,
             struct iv_err *err);
/* The same of a value that came from JSON: maps, lists, strings, doubles, ints, bools, null. */
iv_rc iv_jcs_value(struct iv_buf *out, const struct iv_val *value, const char *omit, struct iv_err *err);

/* The chain hash that the ledger event should carry: the digest that its ledgeralg names over
 * event->canonical. IV_E_ABSENT: not an event of the ledger, or of an unknown ledgeralg. */
iv_rc iv_chain_digest(struct iv_digest *out, struct iv_digester *digester, const struct iv_event *event,
                      struct iv_err *err);
/* Whether it does; computed once for an event, kept in event->hash_valid. False for an event that is not of
 * the ledger, and for an unknown ledgeralg. Needs event->canonical, so the batch's arena. */
bool iv_chain_valid(struct iv_event *event, struct iv_digester *digester);
