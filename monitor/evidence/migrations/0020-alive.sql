-- SPDX-License-Identifier: Apache-2.0
-- Who was alive: the distinct agents, tenants and enclaves with an event within the last hour of event time.

-- Of a cell of this process, by five minutes: what is told again only adds.
CREATE TABLE alive_spans (
    topic     TEXT    NOT NULL,
    partition INTEGER NOT NULL,
    kind      TEXT    NOT NULL, -- agents, tenants, enclaves
    span      INTEGER NOT NULL, -- where it begins
    crowd     BLOB    NOT NULL, -- base/crowd.h
    PRIMARY KEY (topic, partition, kind, span)
);

-- Of any cell, the hour that ends with as_of.
CREATE TABLE alive_cells (
    topic     TEXT    NOT NULL,
    partition INTEGER NOT NULL,
    kind      TEXT    NOT NULL,
    as_of     INTEGER NOT NULL,
    crowd     BLOB    NOT NULL,
    PRIMARY KEY (topic, partition, kind)
);

-- Of all cells together.
CREATE TABLE alive (
    kind  TEXT    NOT NULL PRIMARY KEY,
    alive INTEGER NOT NULL,
    as_of INTEGER NOT NULL
) WITHOUT ROWID;
