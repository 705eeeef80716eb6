// SPDX-License-Identifier: Apache-2.0
// What stands around every screen: where one can go, how the monitor is, who is in.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { hrefOf } from "./address";
import type { Status } from "./api";
import { count, short, when, zone } from "./format";
import type { Connection } from "./live";
import { baseline, connection as connectionNow, lostSince, respond, status as statusNow } from "./live";
import { Icon, Name, visible } from "./marks";
import { canGrow, scale, setWall, wall } from "./scale";
import { turned } from "./session";
import { useStore } from "./store";

export const screens = [
  ["posture", "Posture", "M12 3l7.5 3v5.5c0 4.6-3.1 8-7.5 9.5-4.4-1.5-7.5-4.9-7.5-9.5V6L12 3Zm-3.2 9 2.3 2.3L15.5 10"],
  ["findings", "Findings", "M4 6h16M4 12h16M4 18h10"],
  ["remediation", "Remediation", "M13 3 5 13.5h6L10 21l8-10.5h-6L13 3Z"],
  ["fleet", "Fleet", "M4 5h7v6H4zM13 5h7v6h-7zM4 13h7v6H4zM13 13h7v6h-7z"],
  ["system", "System", "M3 12h4l2.5-7 5 14 2.5-7h4"],
  ["access", "Access", "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20c.6-3.6 3.2-5.5 6.5-5.5s5.9 1.9 6.5 5.5M16 4.4a3.5 3.5 0 0 1 0 6.4M17.5 14.9c2.1.7 3.5 2.4 4 5.1"],
  ["audit", "Audit", "M7 3h8l4 4v14H7zM10 12h6M10 16h6"],
] as const;

type Theme = "light" | "dark";

function firstTheme(): Theme {
  const system: Theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  return (localStorage.getItem("theme") as Theme | null) ?? system;
}

const paint = (theme: Theme): void => void (document.documentElement.dataset["theme"] = theme);

/** Before anything is drawn, the log-in included. */
export const paintFirst = (): void => paint(firstTheme());

function ThemeSwitch() {
  const [theme, setTheme] = useState<Theme>(firstTheme);
  useEffect(() => paint(theme), [theme]);
  const other: Theme = theme === "dark" ? "light" : "dark";
  const change = (): void => {
    localStorage.setItem("theme", other);
    setTheme(other);
  };
  return (
    <button type="button" class="quiet icon" onClick={change} aria-label={`Switch to the ${other} theme`}>
      {theme === "dark" ? (
        <Icon path="M12 4V2m0 20v-2m8-8h2M2 12h2m13.7-5.7 1.4-1.4M4.9 19.1l1.4-1.4m11.4 0 1.4 1.4M4.9 4.9l1.4 1.4M12 7.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9Z" />
      ) : (
        <Icon path="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z" />
      )}
    </button>
  );
}

function WallSwitch() {
  const on = useStore(wall);
  useStore(scale); // which changes with the window's width
  return on || canGrow(window.innerWidth) ? (
    <button
      type="button"
      class="quiet icon wall"
      aria-pressed={on}
      aria-label="Large, to be read from afar"
      title="Large, to be read from afar"
      onClick={() => setWall(!on)}
    >
      <Icon path="M3 5h18v12H3zM9 21h6M12 17v4" />
    </button>
  ) : null;
}

const connectionWords: Record<Connection, string> = {
  connecting: "Connecting",
  live: "Live",
  lost: "No answer from the server",
};

function ConnectionMark({ connection, status }: { connection: Connection; status: Status | null }) {
  const since = useStore(lostSince);
  const notReady = connection === "live" && status !== null && !status.ready;
  const lost = since === null ? "" : ` since ${when(new Date(since).toISOString())}, trying again`;
  const words = notReady ? `Not ready: ${status.reason}` : `${connectionWords[connection]}${lost}`;
  return (
    <p class={`connection ${notReady ? "waiting" : connection}`} role="status" title={visible(words)}>
      <i aria-hidden="true" />
      <span>
        <Name text={words} />
      </span>
    </p>
  );
}

function BaselineMark({ status }: { status: Status | null }) {
  const rules = useStore(baseline);
  return rules === null ? null : (
    <p class="baseline" title={`SHA-384 ${rules.digest}`}>
      Baseline{" "}
      <span>
        <Name text={rules.name} />
      </span>{" "}
      {rules.version}
      <code>{short(rules.digest, 8)}</code>
      {status?.reload?.result === "refused" && <em title={visible(status.reload.reason)}>a newer one was refused</em>}
    </p>
  );
}

function Badge({ screen }: { screen: string }) {
  const waiting = useStore(statusNow)?.executions.waiting ?? 0;
  return screen === "remediation" && waiting > 0 ? (
    <b class="badge" title="waiting for approval">
      {count(waiting)}
      <span class="visually-hidden"> waiting for approval</span>
    </b>
  ) : null;
}

function Paused() {
  const told = useStore(respond);
  return told?.paused === true ? (
    <a class="paused" href={hrefOf("remediation")} role="status">
      <Name
        text={`Remediation is paused${told.by === null ? "" : ` by ${told.by}`}${told.why === null || told.why === "" ? "" : `: ${told.why}`}`}
      />
    </a>
  ) : null;
}

/** Who one is here has changed under one's hands. */
function Turned() {
  const words = useStore(turned);
  return words === "" ? null : (
    <p class="turned" role="alert">
      <Name text={words} />
      <button type="button" class="quiet" onClick={() => turned.set("")}>
        Close
      </button>
    </p>
  );
}

export function Frame(props: { screen: string; offered: readonly string[]; who: ComponentChildren; children: ComponentChildren }) {
  const connection = useStore(connectionNow);
  const status = useStore(statusNow);
  return (
    <div class={connection === "lost" ? "frame silent" : "frame"}>
      <header class="top">
        <a class="brand" href={hrefOf("posture")} aria-label="Invigil, to the posture">
          <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
            <rect width="32" height="32" rx="9" />
            <path d="M5 16c3-5 7-7.5 11-7.5S24 11 27 16c-3 5-7 7.5-11 7.5S8 21 5 16Z" />
            <circle cx="16" cy="16" r="3.6" />
          </svg>
          <h1>Invigil</h1>
        </a>
        <nav aria-label="Screens">
          {screens
            .filter(([name]) => props.offered.includes(name))
            .map(([name, title, path]) => (
              <a key={name} href={hrefOf(name)} aria-current={props.screen === name ? "page" : undefined}>
                <Icon path={path} />
                {title}
                <Badge screen={name} />
              </a>
            ))}
        </nav>
        <ConnectionMark connection={connection} status={status} />
        {props.who}
        <WallSwitch />
        <ThemeSwitch />
      </header>
      <Turned />
      <Paused />
      <main>{props.children}</main>
      <footer class="foot">
        <BaselineMark status={status} />
        <p>Times in {zone()}</p>
      </footer>
    </div>
  );
}
