-- SPDX-License-Identifier: Apache-2.0
-- The first schema. Times are nanoseconds since the epoch. seq grows with every change, so that a reader that knows
-- the last one it saw can ask for what is new.

CREATE TABLE findings (
    seq            INTEGER PRIMARY KEY AUTOINCREMENT,
    uid            TEXT    NOT NULL UNIQUE,
    kind           INTEGER NOT NULL, -- rank: 0 open, 1 inconclusive, 2 violated, 3 updated, 4 contradicted
    rule           TEXT    NOT NULL,
    title          TEXT    NOT NULL,
    severity       INTEGER NOT NULL, -- 0 info to 4 critical
    mode           INTEGER NOT NULL, -- 0 enforce, 1 observe
    suppressed     INTEGER NOT NULL,
    criteria       TEXT    NOT NULL, -- "CC6.1 CC6.3"
    tenant         TEXT    NOT NULL,
    agent          TEXT    NOT NULL,
    trigger_source TEXT    NOT NULL,
    trigger_id     TEXT    NOT NULL,
    trigger_type   TEXT    NOT NULL,
    time           INTEGER NOT NULL,
    detected       INTEGER NOT NULL,
    witnesses      INTEGER NOT NULL,
    ocsf           TEXT    NOT NULL
);
CREATE INDEX findings_by_rule ON findings (rule, severity, kind, suppressed);
CREATE INDEX findings_by_time ON findings (time);

CREATE TABLE dead_letters (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    topic     TEXT    NOT NULL,
    partition INTEGER NOT NULL,
    "offset"  INTEGER NOT NULL,
    reason    TEXT    NOT NULL,
    json      TEXT    NOT NULL,
    time      INTEGER NOT NULL,
    UNIQUE (topic, partition, "offset")
);

CREATE TABLE positions (
    topic       TEXT    NOT NULL,
    partition   INTEGER NOT NULL,
    next_offset INTEGER NOT NULL,
    PRIMARY KEY (topic, partition)
) WITHOUT ROWID;

CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- Deleted when the broker has acknowledged it. AUTOINCREMENT: an id is never used again.
CREATE TABLE outbox (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    channel         INTEGER NOT NULL, -- 0 finding, 1 dead letter, 2 action, 3 alert, 4 command
    topic           TEXT    NOT NULL, -- of a command, else empty
    key             TEXT    NOT NULL,
    value           TEXT    NOT NULL,
    idempotency_key TEXT    NOT NULL,
    time            INTEGER NOT NULL
);

CREATE TABLE executions (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    key        TEXT    NOT NULL UNIQUE,
    finding    TEXT    NOT NULL,
    playbook   TEXT    NOT NULL,
    title      TEXT    NOT NULL,
    target     TEXT    NOT NULL,
    tactic     INTEGER NOT NULL,
    rule       TEXT    NOT NULL,
    severity   INTEGER NOT NULL,
    tenant     TEXT    NOT NULL,
    agent      TEXT    NOT NULL,
    baseline   TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    cause      TEXT    NOT NULL,
    event_time INTEGER NOT NULL,
    planned    INTEGER NOT NULL,
    started    INTEGER NOT NULL,
    finished   INTEGER NOT NULL
);
CREATE INDEX executions_by_finding ON executions (finding);
CREATE INDEX executions_by_state ON executions (state);

CREATE TABLE steps (
    execution   TEXT    NOT NULL,
    position    INTEGER NOT NULL,
    key         TEXT    NOT NULL UNIQUE,
    name        TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    request     TEXT    NOT NULL,
    timeout     INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    backoff     INTEGER NOT NULL,
    backoff_max INTEGER NOT NULL,
    state       TEXT    NOT NULL,
    cause       TEXT    NOT NULL,
    attempt     INTEGER NOT NULL,
    due         INTEGER NOT NULL,
    outbox      INTEGER NOT NULL, -- 0: not handed over as a message
    status      INTEGER NOT NULL,
    answer      TEXT    NOT NULL,
    started     INTEGER NOT NULL,
    finished    INTEGER NOT NULL,
    PRIMARY KEY (execution, position)
) WITHOUT ROWID;
-- What a responder asks for several times a second: small, because what is finished is not in it.
CREATE INDEX steps_due ON steps (due) WHERE state = 'due';
CREATE INDEX steps_calling ON steps (outbox) WHERE state = 'calling';

CREATE TABLE actions (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    execution TEXT    NOT NULL,
    step      INTEGER NOT NULL, -- -1: the execution itself
    state     TEXT    NOT NULL,
    time      INTEGER NOT NULL,
    ocsf      TEXT    NOT NULL
);
CREATE INDEX actions_by_execution ON actions (execution);
