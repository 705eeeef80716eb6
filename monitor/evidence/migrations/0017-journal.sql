-- SPDX-License-Identifier: Apache-2.0
-- What befell the monitor itself, for whoever asks whether it was watching. The newest 10,000 rows; the log has all.
CREATE TABLE journal (
    seq   INTEGER PRIMARY KEY AUTOINCREMENT,
    at    INTEGER NOT NULL, -- wall clock
    what  TEXT    NOT NULL, -- a name of journal_kinds.def
    about TEXT    NOT NULL, -- the topic, sink, rule, person that it is about; empty: the monitor
    cause TEXT    NOT NULL
);
CREATE INDEX journal_by_what ON journal (what, seq);
