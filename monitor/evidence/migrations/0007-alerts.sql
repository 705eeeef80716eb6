-- SPDX-License-Identifier: Apache-2.0
-- Alerts. One row for what is wrong (a rule, for one tenant's agent), however often it was found; a row for each sink
-- that was told of it; and the notices that wait until a sink has taken them.

CREATE TABLE alerts (
    fingerprint TEXT    PRIMARY KEY,
    rule        TEXT    NOT NULL, -- or a condition of the monitor's own, "invigil.input-lost"
    title       TEXT    NOT NULL,
    severity    INTEGER NOT NULL, -- as in findings
    criteria    TEXT    NOT NULL,
    tenant      TEXT    NOT NULL, -- "*": many
    agent       TEXT    NOT NULL,
    subject     TEXT    NOT NULL, -- of a condition: the sink, the guard; of a finding: empty
    kind        INTEGER NOT NULL, -- as in findings
    finding     TEXT    NOT NULL, -- uid of the first since it fires; of a condition: empty
    detail      TEXT    NOT NULL, -- of a condition: what happened
    count       INTEGER NOT NULL, -- findings since it fires
    open        INTEGER NOT NULL, -- of them, not contradicted
    firing      INTEGER NOT NULL,
    started     INTEGER NOT NULL,
    last        INTEGER NOT NULL,
    quiet_at    INTEGER NOT NULL, -- it is resolved then, unless it is found again
    ended       INTEGER NOT NULL, -- 0: it fires
    cause       TEXT    NOT NULL  -- why it was resolved
) WITHOUT ROWID;
CREATE INDEX alerts_quiet ON alerts (quiet_at) WHERE firing = 1;
CREATE INDEX alerts_firing ON alerts (rule) WHERE firing = 1;
CREATE INDEX alerts_ended ON alerts (ended) WHERE firing = 0;

CREATE TABLE alert_targets (
    fingerprint TEXT    NOT NULL,
    sink        TEXT    NOT NULL,
    refresh_at  INTEGER NOT NULL, -- when a sink that forgets is told again; 0: it does not forget
    PRIMARY KEY (fingerprint, sink)
) WITHOUT ROWID;
CREATE INDEX alert_targets_refresh ON alert_targets (sink, refresh_at) WHERE refresh_at > 0;

-- Deleted when the sink has taken it. AUTOINCREMENT: an id is part of what a sink knows a repetition by.
CREATE TABLE alert_notices (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    sink        TEXT    NOT NULL,
    fingerprint TEXT    NOT NULL,
    firing      INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    started     INTEGER NOT NULL, -- of what it tells, which may have ended and begun again since
    ended       INTEGER NOT NULL,
    cause       TEXT    NOT NULL,
    finding     TEXT    NOT NULL,
    created     INTEGER NOT NULL,
    due         INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,
    why         TEXT    NOT NULL  -- of the last attempt's failure
);
CREATE INDEX alert_notices_due ON alert_notices (sink, due);
CREATE INDEX alert_notices_of ON alert_notices (fingerprint, sink, id);

CREATE TABLE alert_sinks (
    name      TEXT    PRIMARY KEY,
    kind      TEXT    NOT NULL,
    succeeded INTEGER NOT NULL, -- when it took something last; 0: never
    failing   INTEGER NOT NULL, -- since when; 0: it is not
    why       TEXT    NOT NULL
) WITHOUT ROWID;
