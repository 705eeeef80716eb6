// SPDX-License-Identifier: Apache-2.0
// The small signs: a severity, a state, a figure's line.
import type { Severity } from "./api";

export function SeverityMark({ severity }: { severity: Severity }) {
  return (
    <span class={`mark severity ${severity}`}>
      <span class="bars" aria-hidden="true">
        <i />
        <i />
        <i />
        <i />
      </span>
      {severity}
    </span>
  );
}

const stateWords: Record<string, string> = {
  planned: "planned",
  waiting: "waits for approval",
  queued: "queued",
  due: "due",
  running: "running",
  calling: "calling",
  done: "done",
  absent: "nothing there",
  verified: "verified",
  ambiguous: "ambiguous",
  undone: "undone",
  refused: "refused",
  superseded: "superseded",
  withheld: "withheld",
  failed: "failed",
  skipped: "skipped",
  unsupported: "unsupported",
};

export function StateMark({ state }: { state: string | null }) {
  if (state === null) {
    return (
      <span class="none" title="No playbook has run">
        –
      </span>
    );
  }
  return <span class={`mark state ${state in stateWords ? state : "planned"}`}>{stateWords[state] ?? state}</span>;
}

/** The course of a figure, without axes: its shape is the message. */
export function Spark({ values }: { values: number[] }) {
  const width = 96;
  const height = 26;
  const top = Math.max(1, ...values);
  const step = width / 59;
  const start = width - (values.length - 1) * step;
  const points = values.map(
    (value, i) => `${(start + i * step).toFixed(1)},${(height - 2 - (value / top) * (height - 5)).toFixed(1)}`,
  );
  if (points.length < 2) {
    return null;
  }
  return (
    <svg class="spark" viewBox={`0 0 ${width} ${height}`} width={width} height={height} aria-hidden="true">
      <polygon points={`${start.toFixed(1)},${height} ${points.join(" ")} ${width},${height}`} />
      <polyline points={points.join(" ")} />
    </svg>
  );
}
