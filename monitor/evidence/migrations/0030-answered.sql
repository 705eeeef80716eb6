-- SPDX-License-Identifier: Apache-2.0
-- Which findings an execution answers: what it rests on is looked at before it is called.
CREATE INDEX execution_findings_of ON execution_findings (execution);
