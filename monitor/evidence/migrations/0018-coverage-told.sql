-- SPDX-License-Identifier: Apache-2.0
-- When other processes were told of a partition's coverage last, and in which state it was then.

ALTER TABLE coverage ADD COLUMN told_at INTEGER NOT NULL DEFAULT -9223372036854775808;
ALTER TABLE coverage ADD COLUMN told_state TEXT NOT NULL DEFAULT '';
