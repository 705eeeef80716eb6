-- SPDX-License-Identifier: Apache-2.0
-- What rests on something that was not seen is called only while the streams are fresh.
ALTER TABLE executions ADD COLUMN absence INTEGER NOT NULL DEFAULT 0; -- its finding is of a rule that requires
