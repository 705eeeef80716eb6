/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's state as bytes, and an engine made from them.
 * Purpose: to go on elsewhere, later, or under another baseline, with the verdicts of an engine that was
 * never interrupted.
 * Owner/thread: the thread of the engine, between two of its calls.
 * Guarantee: the bytes say what is remembered, not how it lies in memory: rules by id and digest, types and
 * fields by name. A restored engine gives the bytes that it was made from. Bytes that are damaged, cut short
 * or of another version are refused with a sentence; whatever they say is checked before it is used, and the
 * work is bounded by their number.
 * Not here: where snapshots are kept, and the positions in the input that belong to one.
 *
 * Form, version 3. Numbers are of base 128 with the lower bits first, signed ones in zigzag; where a width
 * is given they are little-endian. Texts are a length and bytes.
 * - a frame (frame.h) that begins with "IVENGINE", and in it
 * - sections in this order, each 4 bytes name, 8 bytes length, content:
 * - BASE: digest and dedup of the baseline, the hash key;
 * - RULE: of each rule id, digest, the join that it looks from, its figures;
 * - TIME: joins, streams with their partitions' watermarks, what was forgotten, the engine's figures;
 * - TYPE: the event types of the records, and of each the fields that are kept, by name and type;
 * - LANE: of each kind of lane the rules that its events are triggers of, and those they are partners for;
 * - TOPI: names of topics;
 * - RECS: records in order of arrival: origin, content, fields, whether the identity is remembered, in which
 *   lanes under which key it stands and which rules wait for it there, its obligations;
 * - TOLD: what was emitted, the oldest first;
 * - LOGS: the entries of logs and their trees (logs_image.h);
 * - POPU: of each rule since when its population is counted, and the counts by hour (population.h). Version 2
 *   had none: what it was made from was not counted.
 * Further state is a further section, and another version.
 *
 * Under another baseline:
 * - A rule of the same id and digest goes on with its triggers, partners, deadlines and figures.
 * - Every other rule starts as if all streams were joined midway at this moment. What arrived before is
 *   neither trigger nor partner to it, and a window that reaches behind the moment makes it inconclusive.
 *   Where no event has arrived yet it starts at the beginning, for nothing was missed.
 * - The logs are no rule's own: they go on as long as some rule asks for their trees, so one that is new to
 *   them finds what is remembered, and is inconclusive only about logs of which less is.
 * - What waits for a rule that has changed or is gone is dropped without a verdict.
 * - Populations go on by the rule's id, changed or not; of a rule that is new they begin behind all that has
 *   arrived.
 * - Titles, texts, severities, criteria, modes, playbooks, tests and waivers are no part of a digest: they
 *   hold at once, also for what waits.
 * - Parameters, overrides, keyring, declared event types, and a stream's grade and history are part of the
 *   digests of those rules whose verdicts rest on them, so the others go on. The parameters of a trigger
 *   that waits are looked up anew.
 * - lateness: from the next event of a partition on; no watermark goes back. It is part of no digest.
 * - dedup: what a longer one would remember and a shorter one has forgotten stays forgotten: an event as old
 *   counts as late. What a shorter one does not need is dropped as time goes on. It is part of no digest.
 * - history: what was found missing (iv_engine_joined_midway) stays so.
 * - Event types: a field that is gone or has another type is absent; a record of a type that is gone is one
 *   of an unknown type on the ledger, and none on telemetry. */
#pragma once

#include "base/buf.h"
#include "engine/engine.h"

#define IV_SNAPSHOT_VERSION 3
#define IV_SNAPSHOT_OLDEST 2

/* Appends; the engine says the same afterwards. IV_E_NOMEM, IV_E_LIMIT (out is full): what was appended is
 * worthless. */
iv_rc iv_engine_snapshot(struct iv_engine *engine, struct iv_buf *out, struct iv_err *err);

/* IV_E_MALFORMED: damaged, or of another version. IV_E_NOMEM. An engine may be given other rules than those
 * of the snapshot (options.rules): what the snapshot's did not have starts midway.
 * Keys and contents are remembered as hashes alone and cannot be hashed again, so the hash key is part of the
 * state: that of the options is not used, and the decoder of the events that follow must have the snapshot's.
 * Whoever reads a snapshot can make keys collide, so it is no public document. */
iv_rc iv_engine_restore(struct iv_engine **out, struct iv_baseline *baseline,
                        const struct iv_engine_options *options, struct iv_str bytes, struct iv_err *err);

/* One that goes on where another stands, which stays as it is: both of the above, in memory. */
iv_rc iv_engine_carry_on(struct iv_engine **out, struct iv_engine *from, struct iv_baseline *baseline,
                         const struct iv_engine_options *options, struct iv_err *err);

struct iv_hash_key iv_engine_hash_key(const struct iv_engine *engine);
