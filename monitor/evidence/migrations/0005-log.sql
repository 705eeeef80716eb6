-- SPDX-License-Identifier: Apache-2.0
-- The monitor's own log: a Merkle tree (RFC 9162) over entries that are never changed and never deleted.

CREATE TABLE log (
    leaf  INTEGER PRIMARY KEY, -- 0, 1, 2, …
    time  INTEGER NOT NULL,    -- when it was recorded; never less than the one before
    entry TEXT    NOT NULL,    -- the leaf's data: what is hashed
    roots BLOB    NOT NULL     -- of the perfect trees that end with this leaf, 32 bytes each, the leaf's own hash first
);

-- What the entries' digests are of, as far as no other row has it: findings.ocsf and actions.ocsf have theirs, a finding
-- that was updated left its earlier text here.
CREATE TABLE log_documents (
    leaf     INTEGER PRIMARY KEY,
    document TEXT NOT NULL
);

ALTER TABLE findings ADD COLUMN leaf INTEGER NOT NULL DEFAULT -1; -- -1: of before there was a log
ALTER TABLE actions ADD COLUMN leaf INTEGER NOT NULL DEFAULT -1;
CREATE INDEX findings_by_leaf ON findings (leaf);
CREATE INDEX actions_by_leaf ON actions (leaf);

-- What the log was told of a partition last, and when: the digest of its losses and state, and how far it had been read.
ALTER TABLE coverage ADD COLUMN logged TEXT NOT NULL DEFAULT '';
ALTER TABLE coverage ADD COLUMN logged_reach INTEGER NOT NULL DEFAULT -9223372036854775808;
ALTER TABLE coverage ADD COLUMN logged_at INTEGER NOT NULL DEFAULT -9223372036854775808;

-- The log's name of itself: of this file, for ever.
INSERT INTO facts (name, value) VALUES ('log.origin', 'invigil/' || lower(hex(randomblob(8))));

-- What was signed of the log (C2SP tlog-checkpoint), as it was published.
CREATE TABLE checkpoints (
    size INTEGER PRIMARY KEY, -- entries
    time INTEGER NOT NULL,
    note TEXT    NOT NULL
);
