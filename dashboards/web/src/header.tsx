// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from "preact/hooks";
import type { Baseline, Status } from "./api";
import { count, duration, short } from "./format";
import { Spark } from "./marks";
import type { Connection } from "./stream";

const connectionWords: Record<Connection, string> = {
  connecting: "Connecting",
  live: "Live",
  lost: "Connection lost, coming back",
};

type Theme = "light" | "dark";

function ThemeSwitch() {
  const system: Theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const [theme, setTheme] = useState<Theme>((localStorage.getItem("theme") as Theme | null) ?? system);
  useEffect(() => {
    document.documentElement.dataset["theme"] = theme;
  }, [theme]);
  const other: Theme = theme === "dark" ? "light" : "dark";
  const change = (): void => {
    localStorage.setItem("theme", other);
    setTheme(other);
  };
  return (
    <button type="button" class="quiet icon" onClick={change} aria-label={`Switch to the ${other} theme`}>
      <svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true">
        {theme === "dark" ? (
          <path d="M12 4V2m0 20v-2m8-8h2M2 12h2m13.7-5.7 1.4-1.4M4.9 19.1l1.4-1.4m11.4 0 1.4 1.4M4.9 4.9l1.4 1.4M12 7.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9Z" />
        ) : (
          <path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z" />
        )}
      </svg>
    </button>
  );
}

export function Header(props: { connection: Connection; status: Status | null; baseline: Baseline | null }) {
  const { connection, status, baseline } = props;
  const notReady = connection === "live" && status !== null && !status.ready;
  return (
    <header class="top">
      <div class="brand">
        <svg viewBox="0 0 32 32" width="30" height="30" aria-hidden="true">
          <rect width="32" height="32" rx="9" />
          <path d="M5 16c3-5 7-7.5 11-7.5S24 11 27 16c-3 5-7 7.5-11 7.5S8 21 5 16Z" />
          <circle cx="16" cy="16" r="3.6" />
        </svg>
        <h1>Invigil</h1>
      </div>
      <p class={`connection ${notReady ? "waiting" : connection}`} role="status">
        <i aria-hidden="true" />
        {notReady ? `Not ready: ${status.reason}` : connectionWords[connection]}
      </p>
      {baseline !== null && (
        <p class="baseline" title={`SHA-384 ${baseline.digest}`}>
          <span>Baseline</span> {baseline.name} {baseline.version}
          <code>{short(baseline.digest, 8)}</code>
          {status?.reload?.result === "refused" && <em title={status.reload.reason}>a newer one was refused</em>}
        </p>
      )}
      <ThemeSwitch />
    </header>
  );
}

function watermarkLag(status: Status): number | null {
  const now = Date.parse(status.now);
  const lags = status.watermarks.map((mark) => (now - Date.parse(mark.time)) / 1000);
  return lags.length === 0 ? null : Math.max(0, ...lags);
}

function Figure(props: { name: string; value: string; note: string; alarm?: boolean; rates?: number[] }) {
  return (
    <div class={props.alarm === true ? "figure alarm" : "figure"}>
      <dt>{props.name}</dt>
      <dd>
        <strong>{props.value}</strong>
        {props.rates !== undefined && <Spark values={props.rates} />}
        <small>{props.note}</small>
      </dd>
    </div>
  );
}

export function Figures({ status, rates }: { status: Status | null; rates: number[] }) {
  if (status === null) {
    return <dl class="figures" aria-busy="true" />;
  }
  const lag = watermarkLag(status);
  const behind = status.lag.reduce((sum, part) => sum + part.records, 0);
  const { p50_seconds: p50, p99_seconds: p99 } = status.detection;
  const { critical, high } = status.findings.by_severity;
  const { planned, waiting, running, done, verified, failed, ambiguous } = status.executions;
  const wrong = failed + ambiguous;
  const underWay = `${count(planned + running)} under way${waiting > 0 ? `, ${count(waiting)} waiting` : ""}`;
  return (
    <dl class="figures">
      <Figure
        name="Events"
        value={`${count(Math.round(status.events.per_second))}/s`}
        note={`${count(status.events.total)} read`}
        rates={rates}
      />
      <Figure name="Findings" value={count(status.findings.total)} note={`${count(critical)} critical, ${count(high)} high`} />
      <Figure
        name="Remediated"
        value={count(done + verified)}
        note={wrong > 0 ? `${count(wrong)} failed, ${underWay}` : underWay}
        alarm={wrong > 0 || waiting > 0}
      />
      <Figure
        name="Detection"
        value={p50 === null ? "–" : duration(p50)}
        note={p99 === null ? "nothing detected yet" : `99 of 100 within ${duration(p99)}`}
      />
      <Figure
        name="Watermark"
        value={lag === null ? "–" : duration(lag)}
        note={lag === null ? "no stream yet" : behind === 0 ? "behind, all read" : `behind, ${count(behind)} records unread`}
      />
      <Figure
        name="Dead letters"
        value={count(status.dead_letters)}
        note={`${count(status.events.late)} late, ${count(status.outbox.pending)} to be sent`}
        alarm={status.dead_letters > 0}
      />
    </dl>
  );
}
