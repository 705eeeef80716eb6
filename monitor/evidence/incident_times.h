/* SPDX-License-Identifier: Apache-2.0 */
/* How long it took to detect an incident, to act on it and to contain it.
 * Purpose: the times of an incident as a whole, from its findings and the executions that answer them
 * (times.h has those of one execution).
 * Owner/thread: as reader.h has it; as of the last step of the sums, as the incident itself.
 * Guarantee: bounded work: of executions that were planned for other findings and joined by the incident's,
 * those of its newest IV_INCIDENT_JOINED findings are known; of more than IV_INCIDENT_EXECUTIONS it is not
 * said when it was contained. What is not known is not guessed: there is a reason in its place.
 *
 *   detected    the first of its findings came into the store; `detect` counts from its least event
 *   acted       the first call of an execution that answers it; `act` counts from detected
 *   contained   the last proof that was needed: every execution that answers it was verified, but those that
 *               another one took over from, and no event of it is later; `contain` counts from its least
 * event
 */
#pragma once

#include "evidence/incident.h"

enum { IV_INCIDENT_JOINED = 64, IV_INCIDENT_EXECUTIONS = 200 };

struct iv_incident_times {
    iv_ns detected; /* wall clock, as the next two; 0: not known */
    iv_ns acted;
    iv_ns contained;
    iv_ns detect; /* lengths; below 0: not known */
    iv_ns act;
    iv_ns contain;
    const char *not_acted; /* NULL: acted is known. "no-execution", "observed", "not-begun", "not-called" */
    const char *not_contained; /* NULL: contained is. Those two, "under-way", "failed", "not-proven",
                                  "found-since", "too-many" */
};
iv_rc iv_reader_incident_times(struct iv_reader *reader, struct iv_incident_times *out,
                               const struct iv_incident *incident, struct iv_err *err);
