-- SPDX-License-Identifier: Apache-2.0
-- Coverage: the event time in which each partition was read, in order, within lateness, without gaps. What lies below
-- reach is covered, but for the losses. A rule has losses of its own where it had to forget what it still needed.

CREATE TABLE coverage (
    topic     TEXT    NOT NULL,
    partition INTEGER NOT NULL,
    stream    TEXT    NOT NULL, -- ledger, telemetry
    state     TEXT    NOT NULL, -- read, blind (the broker holds records back), away (somebody else reads it, or nobody)
    first     INTEGER NOT NULL, -- least event time; the greatest number: none was read yet
    reach     INTEGER NOT NULL,
    PRIMARY KEY (topic, partition)
) WITHOUT ROWID;

CREATE TABLE coverage_losses (
    topic     TEXT    NOT NULL,
    partition INTEGER NOT NULL,
    cause     TEXT    NOT NULL,
    begins    INTEGER NOT NULL,
    ends      INTEGER NOT NULL, -- not included
    records   INTEGER NOT NULL, -- that were lost, as far as is known
    PRIMARY KEY (topic, partition, cause, begins)
) WITHOUT ROWID;

CREATE TABLE coverage_rule_losses (
    rule    TEXT    NOT NULL,
    cause   TEXT    NOT NULL,
    begins  INTEGER NOT NULL,
    ends    INTEGER NOT NULL,
    records INTEGER NOT NULL,
    PRIMARY KEY (rule, cause, begins)
) WITHOUT ROWID;
