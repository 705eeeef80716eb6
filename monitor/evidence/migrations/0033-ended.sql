-- SPDX-License-Identifier: Apache-2.0
-- A waiver that somebody ended before its time stays on record, with who did, and when.
ALTER TABLE waivers ADD COLUMN ended INTEGER NOT NULL DEFAULT 0; -- 0: nobody did
ALTER TABLE waivers ADD COLUMN ended_by TEXT NOT NULL DEFAULT '';
