-- SPDX-License-Identifier: Apache-2.0
-- What of an incident falls into a part of a span: a period begins and ends where it is asked to.
CREATE INDEX findings_in_incident ON findings (rule, tenant, agent, time) WHERE kind >= 2;
