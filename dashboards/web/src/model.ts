// SPDX-License-Identifier: Apache-2.0
// What the console's API answers, as far as the page reads it (dashboards/openapi.yaml).

export type Severity = "critical" | "high" | "medium" | "low" | "info";

export interface Page<T> {
  position: string;
  items: T[];
  next: string | null;
}

export interface Session {
  name: string;
  via: string;
  roles: string[];
  permissions: string[];
  csrf: string | null;
  expires: string | null;
}

export type TriageState = "new" | "acknowledged" | "closed" | "suppressed";

export interface Finding {
  uid: string;
  seq: number;
  verdict: string;
  rule: string;
  title: string;
  severity: Severity;
  mode: "enforce" | "observe";
  suppressed: boolean;
  criteria: string[];
  tenant: string | null;
  agent: string | null;
  trigger: { source: string; id: string; type: string };
  time: string;
  detected: string | null;
  witnesses: number;
  action: RunState | null;
  state: TriageState;
  assignee: string | null;
}

export interface Incident {
  id: number;
  seq: number;
  rule: string;
  title: string;
  severity: Severity;
  criteria: string[];
  tenant: string | null;
  agent: string | null;
  count: number;
  open: number;
  suppressed: number;
  first: string;
  last: string;
  spark: number[];
  /** The moments, and the lengths in seconds; of what is null the reason. */
  times: {
    detected: string | null;
    acted: string | null;
    contained: string | null;
    detect: number | null;
    act: number | null;
    contain: number | null;
    not_acted: string | null;
    not_contained: string | null;
  };
  newest: string | null;
  state: TriageState;
  assignee: string | null;
}

export interface Filter {
  severities: Severity[];
  rule: string;
  criterion: string;
  tenant: string | null; // null: without one
  agent: string | null;
  state: string;
  assignee: string;
  q: string;
  from: string;
  to: string;
}

export type RunState =
  | "planned"
  | "waiting"
  | "running"
  | "done"
  | "verified"
  | "failed"
  | "ambiguous"
  | "undone"
  | "refused"
  | "superseded"
  | "withheld";

export interface Step {
  position: number;
  key: string;
  name: string;
  kind: string;
  state: string;
  cause: string | null;
  attempt: number;
  attempts: number;
  status: number;
  due: string | null;
  undoes: number | null;
  started: string | null;
  finished: string | null;
}

export interface Execution {
  key: string;
  seq: number;
  finding: string;
  playbook: string;
  title: string;
  target: string | null;
  rule: string;
  severity: Severity;
  tenant: string | null;
  agent: string | null;
  mode: "enforce" | "observe";
  state: RunState;
  cause: string | null;
  event_time: string | null;
  planned: string | null;
  started: string | null;
  finished: string | null;
  times: { detect: number | null; act: number | null; contain: number | null }; // seconds
  findings: number;
  steps: Step[];
}

export interface Evidence {
  name: string;
  data: {
    source: string;
    id: string;
    type?: string;
    time: string;
    /** A record's; what the monitor finds about itself is none. */
    topic?: string;
    partition?: number;
    offset?: number;
    digest?: { algorithm: string; value: string };
    fields?: Record<string, unknown>;
  };
}

export interface Ocsf {
  status_detail?: string;
  evidences?: Evidence[];
  finding_info?: { desc?: string };
  metadata?: { tags?: { name: string; value?: string; values?: string[] }[] };
  unmapped?: { witness_total?: number; deadline?: string; waiver?: { by: string; reason: string; until?: string } };
}

export interface TriageEntry {
  at: string;
  who: string;
  do: string;
  text: string | null;
}

export interface Detail {
  finding: Finding;
  ocsf: Ocsf;
  actions: Execution[];
  rule: {
    id: string;
    text: string | null;
    clause: string | null;
    baseline: string | null;
    saw: Saw[] | null;
    unseen: string | null; // why nothing is known of what it saw
    left_out: number;
  };
  triage: { state: TriageState; assignee: string | null; history: TriageEntry[]; waiver: WaiverWords | null };
  incident: IncidentOf | null;
}

/** The incident that a finding belongs to, a second or two behind it. */
export interface IncidentOf {
  id: number;
  seq: number;
  count: number;
  open: number;
  state: TriageState;
}

/** What a rule saw under a name that its clause reads. */
export interface Saw {
  name: string;
  of: "trigger" | "partner" | "parameter";
  evidence?: number | null; // its event's place among the evidences
  value: unknown;
  why?: string; // there is no value
  override?: { tenant?: string; agent?: string; profile?: string } | null; // of a parameter; null: the baseline's own
}

export interface TriageChange {
  do: "acknowledge" | "assign" | "comment" | "close" | "reopen" | "suppress";
  assignee?: string;
  text?: string;
  reason?: string;
  until?: string;
}

export interface IncidentTriaged {
  changed: number;
  seq: number; // the greatest that a finding got by it
  next: string | null; // the upto of the request that goes on
}

/** Who waived what was found, and who ended that before its time. */
export type WaiverWords = Pick<Waiver, "author" | "reason" | "created" | "until" | "ended" | "ended_by">;

export interface Waiver {
  id: string;
  finding: string;
  rule: string;
  tenant: string | null;
  agent: string | null;
  author: string;
  reason: string;
  created: string;
  until: string;
  ended: string | null;
  ended_by: string | null;
  yaml: string | null;
}

export interface ExecutionDetail {
  execution: Execution;
  log: { at: string; state: string; step: number | null; cause: string | null }[];
  approvals: { at: string; decision: string; role: string; key: string; reason: string | null; verdict: string }[];
  waits: {
    approvals: number;
    roles: string[];
    needs: { roles: string[]; approvals: number; missing: number }[];
    until: string;
  } | null;
}

export interface Lengths {
  count: number;
  p50: number | null; // seconds
  p90: number | null;
  max: number | null;
}

export interface Remediation {
  from: string;
  to: string;
  whole: boolean;
  executions: Record<RunState, number>;
  times: { detect: Lengths; act: Lengths; contain: Lengths };
}

export interface Statement {
  statement: string;
  at: string;
  steps: StatedStep[];
}

/** What a signature covers of a step: its request is JSON, as it is sent, and so is what else is agreed to. */
export interface StatedStep {
  name: string;
  kind: string;
  request: string;
  terms: string;
}

export interface Respond {
  paused: boolean;
  by: string | null;
  at: string | null;
  why: string | null;
}

export interface Rule {
  id: string;
  title: string;
  description: string;
  severity: Severity;
  mode: string;
  pack: string;
  criteria: string[];
  remediate: string | null;
  source: string;
}

export interface Baseline {
  name: string;
  version: string;
  digest: string;
  rules: Rule[];
}

export interface Status {
  version: string;
  now: string;
  workers: number; // that detect in this process: with none what they count is another's, and null
  ready: boolean;
  reason: string;
  baseline: string;
  reload: { result: "accepted" | "refused"; time: string; reason: string } | null;
  events: { total: number; per_second: number; duplicates: number; late: number } | null;
  watermarks: { stream: string; time: string }[];
  lag: { topic: string; partition: string; records: number }[] | null;
  detection: { p50_seconds: number | null; p99_seconds: number | null } | null;
  memory: { state_bytes: number; limit_bytes: number | null; over_bytes: number } | null;
  position: string;
  findings: {
    total: number;
    suppressed: number;
    undecided: number;
    by_rule: { rule: string; count: number; suppressed: number }[];
    by_severity: Record<Severity, number>;
  };
  dead_letters: number;
  outbox: { pending: number; oldest_seconds: number };
  executions: Record<RunState, number>;
}

export interface Interval {
  from: string;
  to: string;
}

export interface Loss extends Interval {
  cause: string;
  records: number;
}

export interface Covered {
  covered_seconds: number;
  ratio: number;
  intervals: Interval[];
}

export interface CoveredPartition extends Covered {
  stream: string;
  topic: string;
  partition: number;
  state: "read" | "blind" | "away";
  reach: string | null;
  losses: Loss[];
}

export interface Coverage {
  from: string | null;
  to: string | null;
  streams: (Covered & { stream: string })[];
  partitions: CoveredPartition[];
  rules: (Covered & { rule: string; streams: string[]; losses: Loss[] })[];
  criteria: (Covered & { criterion: string })[];
}

export type Outcome = "pass" | "fail" | "inconclusive" | "no-population" | "no-violation" | "not-testable";

export interface PostureRule {
  id: string;
  title: string;
  severity: Severity;
  mode: string;
  population: number | null;
  violations: number;
  suppressed: number;
  inconclusive: number;
  open: number;
}

export interface PostureCriterion {
  id: string;
  title: string;
  outcome: Outcome;
  population: number | null;
  violations: number;
  suppressed: number;
  open: number;
  rules: PostureRule[];
  coverage: { share: number; intervals: [string, string][] } | null;
}

export interface Posture {
  from: string;
  to: string;
  baseline: string;
  criteria: PostureCriterion[];
}

export interface FleetRow {
  tenant: string | null;
  risk: number;
  open: Partial<Record<Severity, number>>;
  findings: number;
  executions: number;
  first: string;
  last: string;
}

export interface Fleet {
  tenants: (FleetRow & { agents: number })[];
  items: (FleetRow & { agent: string | null })[];
  next: string | null;
}

export interface Histogram {
  name: string;
  unit: string;
  buckets: { le: number | null; count: number }[];
}

export interface System {
  histograms: Histogram[];
  partitions: { topic: string; partition: number; stream: string; state: string; worker: number | null; lag: number | null; reach: string | null }[];
  workers: Worker[] | null; // null: this process does not detect
  baselines: { at: string; digest: string; what: string; text: string | null }[];
  outbox: { pending: number; oldest_seconds: number };
  sinks: Sink[];
}

export interface Worker {
  worker: number;
  partitions: { topic: string; partition: string; lag: number | null; watermark: string | null }[];
}

export interface Sink {
  name: string;
  kind: string;
  waiting: number;
  oldest_seconds: number;
  last_success: string | null;
  failing_since: string | null;
  why: string | null;
}

export interface JournalRow {
  seq: number;
  at: string;
  what: string;
  about: string;
  cause: string;
}

export interface AuditRow {
  seq: number;
  at: string;
  who: string;
  via: string;
  from: string;
  what: string;
  object: string;
  detail: string;
}

export interface User {
  name: string;
  roles: string[];
  created: string;
  changed: string;
}

export interface Token {
  id: string;
  name: string;
  roles: string[];
  creator: string;
  created: string;
  expires: string;
}

export type MadeToken = Token & { token: string };
