-- SPDX-License-Identifier: Apache-2.0
-- What the streams must show of a step, or must not, and what they have shown.
ALTER TABLE steps ADD COLUMN done INTEGER NOT NULL DEFAULT 0;           -- the other side accepted it then; 0: it has not
ALTER TABLE steps ADD COLUMN expectation TEXT NOT NULL DEFAULT '';      -- JSON (respond/expectation.h); '': nothing is looked for
ALTER TABLE steps ADD COLUMN within INTEGER NOT NULL DEFAULT 0;         -- so long after it was done evidence counts
ALTER TABLE steps ADD COLUMN evidence TEXT NOT NULL DEFAULT '';         -- JSON: the record that decided it
UPDATE steps SET done = finished WHERE state IN ('done', 'undone');
CREATE INDEX steps_expected ON steps (done) WHERE state = 'done' AND expectation <> '';
