/* SPDX-License-Identifier: Apache-2.0 */
/* A baseline out of a bundle: its files are put into a folder of our own, and loaded from there.
 * Owner/thread: the main thread. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "baseline/baseline.h"

struct iv_decoder;

/* document: of an entry of the kind baseline, whose key its digest must be. Signatures are not asked for: the
 * digest says that it is the one. IV_E_REFUSED: it cannot be loaded; the sentence says why. */
iv_rc iv_evidence_baseline(struct iv_baseline **out, struct iv_decoder *decoder, struct iv_str document,
                           struct iv_str digest, struct iv_err *err);
