-- SPDX-License-Identifier: Apache-2.0
-- Who may let an execution pass that waits, and what they said.
ALTER TABLE executions ADD COLUMN quorum INTEGER NOT NULL DEFAULT 0; -- approvals that it waits for
ALTER TABLE executions ADD COLUMN approvers TEXT NOT NULL DEFAULT ''; -- roles, any of which may give one: "security on-call"
UPDATE executions SET quorum = 1, approvers = 'responder' WHERE state = 'waiting' AND told = 0;

CREATE TABLE approvals (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    execution TEXT    NOT NULL,
    approve   INTEGER NOT NULL, -- 0: deny
    role      TEXT    NOT NULL,
    key       TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    reason    TEXT    NOT NULL,
    signature BLOB    NOT NULL, -- Ed25519, 64 bytes
    verdict   TEXT    NOT NULL  -- "pending", "counts", or why it does not
);
CREATE INDEX approvals_by_execution ON approvals (execution);
CREATE INDEX approvals_pending ON approvals (seq) WHERE verdict = 'pending';
