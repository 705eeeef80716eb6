-- SPDX-License-Identifier: Apache-2.0
-- How many findings there are, whenever their events were: what is asked each second is not added up from every hour of years.
CREATE TABLE totals (
    rule       TEXT    NOT NULL,
    severity   INTEGER NOT NULL,
    kind       INTEGER NOT NULL,
    suppressed INTEGER NOT NULL,
    count      INTEGER NOT NULL,
    PRIMARY KEY (rule, severity, kind, suppressed)
) WITHOUT ROWID;

INSERT INTO totals SELECT rule, severity, kind, suppressed, sum(count) FROM tallies GROUP BY 1, 2, 3, 4;
