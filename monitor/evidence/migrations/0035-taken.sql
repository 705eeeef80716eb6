-- SPDX-License-Identifier: Apache-2.0
-- Which of the findings that others made this process has answered, and as what: whoever shows them reads them as well.
-- And limits count what another responder has begun.
CREATE TABLE taken (
    finding TEXT NOT NULL PRIMARY KEY,
    kind INTEGER NOT NULL -- as in findings
) WITHOUT ROWID;
INSERT INTO taken (finding, kind) SELECT uid, kind FROM findings WHERE told = 1;
DROP INDEX executions_begun;
CREATE INDEX executions_begun ON executions (playbook, started, touched_agent, touched_tenant, touched_enclave)
    WHERE started > 0 AND observed = 0;
