/* SPDX-License-Identifier: Apache-2.0 */
/* Coverage in the store: a row for each partition, and what it lacks.
 * Owner/thread: as store.h and reader.h have it.
 * Not here: how it is worked out (engine/coverage.h), what partitions and rules have in common (covered.h).
 */
#pragma once

#include "engine/coverage.h"
#include "evidence/reader.h"
#include "evidence/store.h"

/* Inside a transaction: replaces what the store has of this partition of the topic. */
iv_rc iv_store_put_cover(struct iv_store *store, struct iv_str topic, const struct iv_cover *cover,
                         struct iv_err *err);
/* Inside a transaction: whether other processes are to be told of this partition now, because its state has
 * changed or they were not told for some seconds; if so, they are held to be told. */
iv_rc iv_store_claim_cover(struct iv_store *store, bool *due, struct iv_str topic, int32_t partition,
                           iv_ns now, struct iv_err *err);
/* Inside a transaction: what another process says of a partition. The one that has come further knows better;
 * of two that have come as far, the one that reads it. */
iv_rc iv_store_tell_cover(struct iv_store *store, struct iv_str topic, const struct iv_cover *cover,
                          struct iv_err *err);
/* Inside a transaction: what another process says that this rule has lost there. Said again it adds nothing.
 */
iv_rc iv_store_tell_rule_loss(struct iv_store *store, struct iv_str rule, const struct iv_loss *loss,
                              struct iv_err *err);
/* Inside a transaction: what the store has of any other topic than these two is nobody's any more. */
iv_rc iv_store_covers_away(struct iv_store *store, struct iv_str ledger, struct iv_str telemetry,
                           struct iv_err *err);
/* Inside a transaction: adds to what the store has of this rule; losses of one cause that touch become one.
 */
iv_rc iv_store_add_rule_loss(struct iv_store *store, struct iv_str rule, const struct iv_loss *loss,
                             struct iv_err *err);

/* Inside a transaction, behind iv_store_put_cover, which does it by itself when it is due: enters the
 * coverage of the partition into the log. now: if there is anything that the log does not know. */
iv_rc iv_store_log_cover(struct iv_store *store, struct iv_str topic, const struct iv_cover *cover, bool now,
                         struct iv_err *err);
/* Inside a transaction: enters what a rule has lost; iv_store_add_rule_loss does it by itself. */
iv_rc iv_store_log_rule_loss(struct iv_store *store, struct iv_str rule, const struct iv_loss *loss,
                             struct iv_err *err);

const char *iv_cover_state_name(enum iv_cover_state state);
bool iv_cover_state_of(enum iv_cover_state *out, struct iv_str name);

/* By stream, topic and partition; the losses by cause and time. As of one moment. */
typedef iv_rc (*iv_cover_visit)(void *ctx, struct iv_str topic, const struct iv_cover *cover,
                                struct iv_err *err);
iv_rc iv_reader_covers(struct iv_reader *reader, iv_cover_visit visit, void *ctx, struct iv_err *err);
/* By rule, cause and time. */
typedef iv_rc (*iv_rule_loss_visit)(void *ctx, struct iv_str rule, const struct iv_loss *loss,
                                    struct iv_err *err);
iv_rc iv_reader_rule_losses(struct iv_reader *reader, iv_rule_loss_visit visit, void *ctx,
                            struct iv_err *err);
