-- SPDX-License-Identifier: Apache-2.0
-- How many of a playbook's executions are at work at a time, and what takes over from one that fails.
ALTER TABLE executions ADD COLUMN ramp_start INTEGER NOT NULL DEFAULT 0;  -- it waits for its turn: so many at first
ALTER TABLE executions ADD COLUMN ramp_errors INTEGER NOT NULL DEFAULT 0; -- thousandths that may go wrong
ALTER TABLE executions ADD COLUMN escalate_to TEXT NOT NULL DEFAULT '';   -- a playbook; '' again when it was planned
CREATE INDEX executions_ended ON executions (playbook, finished, state, started, observed, told)
    WHERE started > 0 AND finished > 0 AND observed = 0 AND told = 0;
CREATE INDEX executions_at_work ON executions (playbook)
    WHERE state IN ('planned', 'running') AND ramp_start = 0 AND observed = 0 AND told = 0;
CREATE INDEX executions_queued ON executions (playbook, admitted) WHERE state = 'planned' AND ramp_start > 0;
CREATE INDEX executions_escalating ON executions (finished)
    WHERE escalate_to <> '' AND state IN ('failed', 'ambiguous') AND told = 0;
CREATE INDEX executions_outranked ON executions (escalate_to, target)
    WHERE escalate_to <> '' AND state IN ('planned', 'waiting') AND told = 0;
