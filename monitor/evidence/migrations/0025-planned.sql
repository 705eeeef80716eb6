-- SPDX-License-Identifier: Apache-2.0
-- What was planned in a period, and how long it took, from the index alone.
CREATE INDEX executions_planned ON executions (planned, observed, state, event_time, started, finished);
