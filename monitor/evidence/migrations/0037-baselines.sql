-- SPDX-License-Identifier: Apache-2.0
-- The log's baselines by digest: what a finding was found by is looked up among millions of entries.
CREATE INDEX log_baselines ON log (entry ->> '$.key') WHERE entry ->> '$.kind' = 'baseline';
