// SPDX-License-Identifier: Apache-2.0
// The small signs: a severity, a state, a line's shape, a moment.
import type { ComponentChildren } from "preact";
import { exact, when } from "./format";
import type { Outcome, Severity } from "./model";

export function SeverityMark({ severity, bare }: { severity: Severity; bare?: boolean }) {
  return (
    <span class={`mark severity ${severity}`}>
      <span class="bars" aria-hidden="true">
        <i />
        <i />
        <i />
        <i />
      </span>
      <span class={bare === true ? "visually-hidden" : undefined}>{severity}</span>
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

export const stateWord = (state: string): string => stateWords[state] ?? state;

export function StateMark({ state }: { state: string | null }) {
  if (state === null) {
    return (
      <span class="none" title="No playbook has run">
        –
      </span>
    );
  }
  return <span class={`mark state ${state in stateWords ? state : "planned"}`}>{stateWord(state)}</span>;
}

export const outcomeWords: Record<Outcome, string> = {
  fail: "fails",
  inconclusive: "inconclusive",
  pass: "passes",
  "no-population": "no population",
  "no-violation": "no violation",
  "not-testable": "not testable here",
};

export function OutcomeMark({ outcome }: { outcome: Outcome }) {
  return (
    <span class={`mark outcome ${outcome}`}>
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
        {(outcome === "pass" || outcome === "no-violation") && <path d="m3.5 8.5 3 3 6-7" />}
        {outcome === "fail" && <path d="m4 4 8 8m0-8-8 8" />}
        {outcome === "inconclusive" && <path d="M5.5 6a2.5 2.5 0 1 1 3.6 2.2c-.7.4-1.1.8-1.1 1.6m0 2.6v.1" />}
        {outcome === "no-population" && <circle cx="8" cy="8" r="4.5" />}
        {outcome === "not-testable" && <path d="M3.5 8h9" />}
      </svg>
      {outcomeWords[outcome]}
    </span>
  );
}

/** The course of a figure, without axes: its shape is the message. */
export function Spark({ values, length, width = 96 }: { values: readonly number[]; length: number; width?: number }) {
  const height = 26;
  if (values.length < 5) {
    return null;
  }
  const top = Math.max(1, ...values);
  const step = width / (length - 1);
  const start = width - (values.length - 1) * step;
  const points = values
    .map((value, i) => `${(start + i * step).toFixed(1)},${(height - 2 - (value / top) * (height - 5)).toFixed(1)}`)
    .join(" ");
  return (
    <svg class="spark" viewBox={`0 0 ${width} ${height}`} width={width} height={height} aria-hidden="true">
      <polygon points={`${start.toFixed(1)},${height} ${points} ${width},${height}`} />
      <polyline points={points} />
    </svg>
  );
}

/** Counts as little bars, the newest to the right. */
export function Bars({ counts, severity }: { counts: readonly number[]; severity: Severity }) {
  const top = Math.max(1, ...counts);
  return (
    <svg class={`bars-spark ${severity}`} viewBox={`0 0 ${counts.length * 4} 20`} width={counts.length * 4} height="20" aria-hidden="true">
      {counts.map((count, i) => {
        const tall = count === 0 ? 1 : Math.max(3, (count / top) * 20);
        return <rect key={i} class={count === 0 ? "zero" : ""} x={i * 4} y={20 - tall} width="3" height={tall} rx="0.75" />;
      })}
    </svg>
  );
}

export function Moment({ time, whole }: { time: string; whole?: boolean }) {
  return (
    <time dateTime={time} title={time}>
      {whole === true ? exact(time) : when(time)}
    </time>
  );
}

/** What is not seen, or turns what is seen around: controls, formats such as U+202E, fillers, odd line ends. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00-\ufe0f]/gu;
const unseenWord = (sign: string): string => `U+${sign.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;

/** Where no element can stand: in a title, in a field. */
export const visible = (text: string): string => text.replace(unseen, (sign) => `\u27e8${unseenWord(sign)}\u27e9`);

/** What others chose: on its own, whatever direction it is written in, with a mark in place of what is not seen. */
export function Name({ text }: { text: string }) {
  const signs = text.match(unseen) ?? [];
  const parts = text.split(unseen);
  return (
    <bdi>
      {parts.map((part, i) => (
        <>
          {part}
          {i < signs.length && <span class="unseen">{unseenWord(signs[i] ?? "")}</span>}
        </>
      ))}
    </bdi>
  );
}

/** What somebody wrote in a field of several lines. */
export const Lines = ({ text }: { text: string }) => (
  <>
    {text.split(/\r?\n/).map((line, i) => (
      <>
        {i > 0 && <br />}
        <Name text={line} />
      </>
    ))}
  </>
);

/** What is shown as it is written, line by line; indented by nothing that is not seen. */
export const Written = ({ text }: { text: string }) => (
  <>
    {text.split("\n").map((line, i) => (
      <>
        {i > 0 && "\n"}
        {line !== "" && <Name text={line} />}
      </>
    ))}
  </>
);

/** A tenant and an agent of it, as far as there are. */
export function Subject({ tenant, agent }: { tenant: string | null; agent: string | null }) {
  return (
    <>
      {tenant !== null && <Name text={tenant} />}
      {tenant !== null && agent !== null && " / "}
      {agent !== null && <Name text={agent} />}
    </>
  );
}

export function Icon({ path, size = 18 }: { path: string; size?: number }) {
  return (
    <svg class="glyph" viewBox="0 0 24 24" width={size} height={size} aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

export function Empty(props: { title: string; children?: ComponentChildren; trouble?: boolean }) {
  return (
    <p class={props.trouble === true ? "empty trouble" : "empty"} role={props.trouble === true ? "alert" : undefined}>
      <strong>{props.title}</strong>
      {props.children !== undefined && <span>{props.children}</span>}
    </p>
  );
}
