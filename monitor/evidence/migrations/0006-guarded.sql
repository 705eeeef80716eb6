-- SPDX-License-Identifier: Apache-2.0
-- What guards count, and until when an execution waits for somebody to let it.
ALTER TABLE executions ADD COLUMN touched_agent TEXT NOT NULL DEFAULT '';
ALTER TABLE executions ADD COLUMN touched_tenant TEXT NOT NULL DEFAULT '';
ALTER TABLE executions ADD COLUMN touched_enclave TEXT NOT NULL DEFAULT '';
ALTER TABLE executions ADD COLUMN admitted INTEGER NOT NULL DEFAULT 0; -- 0: not (yet)
ALTER TABLE executions ADD COLUMN expires INTEGER NOT NULL DEFAULT 0;  -- waiting: refused then
UPDATE executions SET admitted = planned, touched_agent = agent, touched_tenant = tenant WHERE told = 0;
CREATE INDEX executions_admitted ON executions (playbook, admitted) WHERE admitted > 0;
CREATE INDEX executions_waiting ON executions (expires) WHERE state = 'waiting';
