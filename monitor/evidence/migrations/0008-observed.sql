-- SPDX-License-Identifier: Apache-2.0
-- Executions that walk the whole way and call nothing.
ALTER TABLE executions ADD COLUMN observed INTEGER NOT NULL DEFAULT 0;
