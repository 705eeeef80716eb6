-- SPDX-License-Identifier: Apache-2.0
-- When the first finding of an incident was made, and what answers it.
ALTER TABLE incidents ADD COLUMN detected INTEGER NOT NULL DEFAULT 0; -- wall clock; 0: not summed up yet
UPDATE incidents SET detected = ifnull((SELECT min(f.detected) FROM findings f WHERE f.rule = incidents.rule
    AND f.tenant = incidents.tenant AND f.agent = incidents.agent AND f.kind >= 2), 0);
CREATE INDEX executions_by_incident ON executions (rule, tenant, agent);
