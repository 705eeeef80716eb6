-- SPDX-License-Identifier: Apache-2.0
-- Triage: what people make of findings; and sums over findings, so that no question of the console walks through
-- all of them. A finding is "live" while it stands as a violation and nobody has closed or waived it.

ALTER TABLE findings ADD COLUMN state INTEGER NOT NULL DEFAULT 0; -- 0 new, 1 acknowledged, 2 closed, 3 suppressed (by a waiver below)
ALTER TABLE findings ADD COLUMN assignee TEXT NOT NULL DEFAULT '';

-- What a list of findings asks for, in its order: whoever looks for few among many reads this and no more.
CREATE INDEX findings_listed ON findings (seq, kind, severity, suppressed, state, time, rule, tenant, agent, criteria,
    assignee, trigger_id, title);
CREATE INDEX findings_by_incident ON findings (rule, tenant, agent);
DROP INDEX findings_by_time;
CREATE INDEX findings_by_time ON findings (time, rule, severity, kind, suppressed);
DROP INDEX findings_by_rule;
CREATE INDEX executions_by_agent ON executions (tenant, agent);

-- How many findings there are of events of a span of time: the time in units of 2^42 ns, some 73 minutes.
CREATE TABLE tallies (
    span       INTEGER NOT NULL,
    rule       TEXT    NOT NULL,
    severity   INTEGER NOT NULL,
    kind       INTEGER NOT NULL,
    suppressed INTEGER NOT NULL,
    count      INTEGER NOT NULL,
    PRIMARY KEY (span, rule, severity, kind, suppressed)
) WITHOUT ROWID;

-- An incident: violations of one rule by one agent of one tenant.
CREATE TABLE incidents (
    id         INTEGER PRIMARY KEY,
    rule       TEXT    NOT NULL,
    tenant     TEXT    NOT NULL,
    agent      TEXT    NOT NULL,
    title      TEXT    NOT NULL, -- this one and the next three: of the newest finding
    severity   INTEGER NOT NULL,
    criteria   TEXT    NOT NULL,
    assignee   TEXT    NOT NULL,
    count      INTEGER NOT NULL,
    fresh      INTEGER NOT NULL, -- live, and nobody has acknowledged it
    live       INTEGER NOT NULL,
    waived     INTEGER NOT NULL,
    first      INTEGER NOT NULL, -- least and greatest time of an event
    last       INTEGER NOT NULL,
    oldest_seq INTEGER NOT NULL, -- no finding of it has a lesser one
    seq        INTEGER NOT NULL, -- of the newest change
    -- What the live ones weigh by severity, halved for each day that they are older than day.
    heat       REAL    NOT NULL,
    day        INTEGER NOT NULL, -- since the epoch
    UNIQUE (rule, tenant, agent)
);
CREATE INDEX incidents_by_seq ON incidents (seq);
CREATE INDEX incidents_by_agent ON incidents (tenant, agent);

-- How many findings an incident has of a span of event time: the time in units of 2^40 ns, some 18 minutes.
CREATE TABLE incident_spans (
    incident INTEGER NOT NULL,
    span     INTEGER NOT NULL,
    count    INTEGER NOT NULL,
    PRIMARY KEY (incident, span)
) WITHOUT ROWID;

-- What people did with findings.
CREATE TABLE triage (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    finding TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    who     TEXT    NOT NULL,
    verb    TEXT    NOT NULL, -- acknowledge, assign, comment, close, reopen, suppress
    detail  TEXT    NOT NULL  -- to whom, what was said, why
);
CREATE INDEX triage_by_finding ON triage (finding);

-- Until then, findings of this incident come in as suppressed (evidence/statements.def). Their verdict stands all the same.
CREATE TABLE waivers (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    finding TEXT    NOT NULL, -- that it was made at
    rule    TEXT    NOT NULL,
    tenant  TEXT    NOT NULL,
    agent   TEXT    NOT NULL,
    until   INTEGER NOT NULL,
    author  TEXT    NOT NULL,
    reason  TEXT    NOT NULL,
    created INTEGER NOT NULL
);
CREATE INDEX waivers_by_incident ON waivers (rule, tenant, agent, until);

-- The sums are brought up to date beside (evidence/sums.h), some findings at once. They hold what has a seq up to this,
CREATE TABLE summed (
    seq  INTEGER NOT NULL,
    upto INTEGER NOT NULL -- where the step ends that is being taken
);
INSERT INTO summed VALUES (0, 0);

-- and these rows as they were, which have changed since.
CREATE TABLE unsummed AS SELECT seq, kind, severity, suppressed, state, time, rule, tenant, agent, criteria, assignee, title
    FROM findings WHERE 0;

-- Every change that counts gives the row another seq.
CREATE TRIGGER finding_changes AFTER UPDATE OF seq ON findings WHEN OLD.seq <= (SELECT seq FROM summed) BEGIN
    INSERT INTO unsummed VALUES (OLD.seq, OLD.kind, OLD.severity, OLD.suppressed, OLD.state, OLD.time, OLD.rule,
        OLD.tenant, OLD.agent, OLD.criteria, OLD.assignee, OLD.title);
END;

-- What the next step adds, and takes away.
CREATE VIEW to_sum AS
    SELECT 1 AS sign, seq, kind, severity, suppressed, state, time, rule, tenant, agent, criteria, assignee, title
        FROM findings INDEXED BY findings_listed
        WHERE seq > (SELECT seq FROM summed) AND seq <= (SELECT upto FROM summed)
    UNION ALL SELECT -1, * FROM unsummed;
