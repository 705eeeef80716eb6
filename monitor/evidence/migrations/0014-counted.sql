-- SPDX-License-Identifier: Apache-2.0
-- What guards count, from the index alone.
DROP INDEX executions_admitted;
CREATE INDEX executions_admitted ON executions
    (playbook, observed, admitted, touched_agent, touched_tenant, touched_enclave) WHERE admitted > 0;
