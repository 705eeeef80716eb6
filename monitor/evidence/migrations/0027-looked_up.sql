-- SPDX-License-Identifier: Apache-2.0
-- Whether a finding of an alert stands that nobody has closed or waived, without a walk through those that were.
CREATE INDEX findings_standing ON findings (rule, tenant, agent, detected, kind) WHERE suppressed = 0 AND state IN (0, 1);

-- Which alerts fire of a standing finding.
CREATE INDEX alerts_firing_of ON alerts (rule, tenant, agent, kind) WHERE firing = 1;

-- The cells that are added up to those who are alive: of a kind, from the foremost one back.
CREATE INDEX alive_cells_by_time ON alive_cells (kind, as_of);
