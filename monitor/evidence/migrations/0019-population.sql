-- SPDX-License-Identifier: Apache-2.0
-- How many events rules have judged, by cell and hour of event time. A cell is known by a topic that feeds it and the
-- partition there. Figures are absolute: the greatest that was told is kept, so that what is told again changes nothing.

CREATE TABLE population_cells (
    id        INTEGER PRIMARY KEY,
    topic     TEXT    NOT NULL,
    partition INTEGER NOT NULL,
    floor     INTEGER NOT NULL DEFAULT -9223372036854775808, -- hours before it were forgotten
    told_at   INTEGER NOT NULL DEFAULT -9223372036854775808, -- when other processes were
    UNIQUE (topic, partition)
);

CREATE TABLE population_rules (
    cell   INTEGER NOT NULL,
    rule   TEXT    NOT NULL,
    since  INTEGER NOT NULL, -- what it judged of this time and behind it was counted
    untold INTEGER NOT NULL,
    PRIMARY KEY (cell, rule)
) WITHOUT ROWID;

CREATE TABLE population_hours (
    cell   INTEGER NOT NULL,
    hour   INTEGER NOT NULL, -- where it begins
    untold INTEGER NOT NULL,
    PRIMARY KEY (cell, hour)
) WITHOUT ROWID;

CREATE INDEX population_untold ON population_hours (cell, hour) WHERE untold = 1;

CREATE TABLE population (
    cell   INTEGER NOT NULL,
    hour   INTEGER NOT NULL,
    rule   TEXT    NOT NULL,
    judged INTEGER NOT NULL,
    PRIMARY KEY (cell, hour, rule)
) WITHOUT ROWID;
