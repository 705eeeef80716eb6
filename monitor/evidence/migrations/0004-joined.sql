-- SPDX-License-Identifier: Apache-2.0
-- One execution may answer many findings of one target: each stands here, the one that it was planned for too.
ALTER TABLE executions ADD COLUMN findings INTEGER NOT NULL DEFAULT 1;
CREATE TABLE execution_findings (
    finding   TEXT NOT NULL,
    execution TEXT NOT NULL,
    PRIMARY KEY (finding, execution)
) WITHOUT ROWID;
INSERT INTO execution_findings SELECT finding, key FROM executions;
DROP INDEX executions_by_finding;
CREATE INDEX executions_by_target ON executions (playbook, target);
