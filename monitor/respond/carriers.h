/* SPDX-License-Identifier: Apache-2.0 */
/* What carries the calls of a responder, whatever their kind.
 * Owner/thread: the responder's thread, iv_carriers_wake apart. */
#pragma once

#include "respond/action.h"

struct iv_carriers;
struct iv_hand;

/* hand may be NULL; it outlives the carriers. */
iv_rc iv_carriers_new(struct iv_carriers **out, struct iv_hand *hand, size_t in_flight, struct iv_err *err);
void iv_carriers_free(struct iv_carriers *carriers);

/* Begins the call; it may have finished at once. Where it cannot even begin, it has an outcome like any
 * other. */
void iv_carriers_start(struct iv_carriers *carriers, struct iv_call *call, const struct iv_action_kind *kind);
/* As far as the call, and no further: *said is what would be called, without a secret. Where it could not
 * even begin it has an outcome, of what would come of its attempts. */
iv_rc iv_carriers_rehearse(struct iv_carriers *carriers, struct iv_str *said, struct iv_call *call,
                           const struct iv_action_kind *kind, struct iv_err *err);
/* Lets go of a call that has not finished. */
void iv_carriers_abandon(struct iv_carriers *carriers, struct iv_call *call,
                         const struct iv_action_kind *kind);
/* Moves all calls on, for up to wait. IV_E_STATE: what acts on this machine is gone, for good. */
iv_rc iv_carriers_pump(struct iv_carriers *carriers, iv_ns wait, struct iv_err *err);
void iv_carriers_wake(struct iv_carriers *carriers); /* ends a pump early; from any thread */
