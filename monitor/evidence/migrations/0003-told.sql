-- SPDX-License-Identifier: Apache-2.0
-- What another process found or carries out, as it tells of it: shown, and an execution is never acted upon here.
ALTER TABLE findings ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
ALTER TABLE executions ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
