-- SPDX-License-Identifier: Apache-2.0
-- What follows a step that went wrong, and steps that take others back.
ALTER TABLE steps ADD COLUMN on_failure INTEGER NOT NULL DEFAULT 0;  -- 0 stop, 1 continue, 2 escalate
ALTER TABLE steps ADD COLUMN escalated INTEGER NOT NULL DEFAULT 0;   -- only when something before it went wrong
ALTER TABLE steps ADD COLUMN undoes INTEGER NOT NULL DEFAULT 0;      -- 1 and the position of the step that it takes back
ALTER TABLE steps ADD COLUMN undo_after INTEGER NOT NULL DEFAULT 0;  -- so long after that one was done
