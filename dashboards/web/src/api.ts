// SPDX-License-Identifier: Apache-2.0
// What the console's API answers (dashboards/openapi.yaml), and how it is asked.

export type Severity = "critical" | "high" | "medium" | "low" | "info";
export const severities: readonly Severity[] = ["critical", "high", "medium", "low", "info"];

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
    topic: string;
    partition: number;
    offset: number;
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

export interface Detail {
  finding: Finding;
  ocsf: Ocsf;
  actions: Execution[];
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
  ready: boolean;
  reason: string;
  baseline: string;
  reload: { result: "accepted" | "refused"; time: string; reason: string } | null;
  events: { total: number; per_second: number; duplicates: number; late: number };
  watermarks: { stream: string; time: string }[];
  lag: { topic: string; partition: string; records: number }[];
  detection: { p50_seconds: number | null; p99_seconds: number | null };
  memory: { state_bytes: number; limit_bytes: number | null; over_bytes: number };
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

export interface Page<T> {
  position: string;
  items: T[];
  next: string | null;
}

export interface Filter {
  severities: Severity[];
  rule: string;
  criterion: string;
}

async function get<T>(path: string): Promise<T> {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  if (!answer.ok) {
    const problem: unknown = await answer.json().catch(() => null);
    const detail = (problem as { detail?: string } | null)?.detail;
    throw new Error(detail ?? `${answer.status} ${answer.statusText}`);
  }
  return (await answer.json()) as T;
}

function query(values: Record<string, string>): string {
  const set = Object.entries(values).filter(([, value]) => value !== "");
  return set.length === 0 ? "" : `?${new URLSearchParams(set).toString()}`;
}

export function fetchFindings(filter: Filter, after: string): Promise<Page<Finding>> {
  const { severities: wanted, rule, criterion } = filter;
  return get(`/api/v1/findings${query({ severity: wanted.join(","), rule, criterion, after, limit: "100" })}`);
}

export const fetchActions = (): Promise<Page<Execution>> => get("/api/v1/actions?limit=50");
export const fetchDetail = (uid: string): Promise<Detail> => get(`/api/v1/findings/${encodeURIComponent(uid)}`);
export const fetchBaseline = (): Promise<Baseline> => get("/api/v1/baseline");
export const fetchStatus = (): Promise<Status> => get("/api/v1/status");

export function passes(filter: Filter, finding: Finding): boolean {
  return (
    (filter.severities.length === 0 || filter.severities.includes(finding.severity)) &&
    (filter.rule === "" || filter.rule === finding.rule) &&
    (filter.criterion === "" || finding.criteria.includes(filter.criterion))
  );
}
