-- SPDX-License-Identifier: Apache-2.0
-- What limits count when an execution is about to begin, from indexes alone; and which executions are at work because
-- the evidence of a step of theirs is still to come.
ALTER TABLE executions ADD COLUMN awaits INTEGER NOT NULL DEFAULT 0; -- done, for all that is known so far
UPDATE executions SET awaits = 1 WHERE state = 'done' AND told = 0 AND EXISTS
    (SELECT 1 FROM steps s WHERE s.execution = executions.key AND s.state = 'done' AND s.expectation <> '');
CREATE INDEX executions_begun ON executions (playbook, started, touched_agent, touched_tenant, touched_enclave)
    WHERE started > 0 AND observed = 0 AND told = 0;
DROP INDEX executions_at_work;
CREATE INDEX executions_at_work ON executions (playbook, state, touched_agent, touched_tenant, touched_enclave)
    WHERE (state IN ('planned', 'running') OR awaits = 1) AND ramp_start = 0 AND observed = 0 AND told = 0;
DROP INDEX executions_ended;
CREATE INDEX executions_ended ON executions (playbook, finished, state, started, observed, told, awaits)
    WHERE started > 0 AND finished > 0 AND observed = 0 AND told = 0 AND awaits = 0;
