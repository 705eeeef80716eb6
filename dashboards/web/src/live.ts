// SPDX-License-Identifier: Apache-2.0
// The live stream: begins where the store stood when the page was opened, comes back by itself, and misses nothing.
// What it says is handed on in batches, so that a burst costs one drawing and not a thousand.
import { useEffect } from "preact/hooks";
import { fetchActions, fetchBaseline, fetchRespond, fetchStatus } from "./api";
import type { Baseline, Execution, Finding, Respond, Status } from "./model";
import { merged } from "./rows";
import { store } from "./store";

export type Connection = "connecting" | "live" | "lost";

export interface Pulse {
  at: number; // milliseconds
  rate: number; // events per second
  behind: number; // records
  delay: number | null; // seconds from the hindmost watermark to now
}

export const connection = store<Connection>("connecting");
export const status = store<Status | null>(null);
export const baseline = store<Baseline | null>(null);
export const pulses = store<readonly Pulse[]>([]);
export const executions = store<readonly Execution[]>([]); // the newest change first
export const respond = store<Respond | null>(null); // null: not known, or not offered
export const nextActions = store<string | null>(null);

const silenceMs = 12_000; // six pulses of the server
const retryMs = 2_000;
const batchMs = 40;
const respondMs = 8_000;
const pulsesMax = 900; // half an hour
const executionsMax = 2_000;

const listeners = new Set<(findings: readonly Finding[]) => void>();

/** What comes in while the part of the page that asks is shown. */
export function useLive(hear: (findings: readonly Finding[]) => void): void {
  useEffect(() => {
    listeners.add(hear);
    return () => void listeners.delete(hear);
  }, [hear]);
}

let waiting: { findings: Finding[]; executions: Execution[] } = { findings: [], executions: [] };
let due = 0;

function flush(): void {
  const told = waiting;
  waiting = { findings: [], executions: [] };
  due = 0;
  takeExecutions(told.executions);
  if (told.findings.length > 0) {
    for (const hear of [...listeners]) {
      hear(told.findings);
    }
  }
}

const soon = (): void => void (due ||= window.setTimeout(flush, batchMs));

/** Told by the stream, or by the answer to who has just changed it. */
export function takeFinding(finding: Finding): void {
  waiting.findings.push(finding);
  soon();
}

let respondWords = 0; // an answer that was asked for before the last word is old
let respondAsked = 0; // milliseconds

export function takeRespond(told: Respond): void {
  respondWords++;
  respond.set(told);
}

/** The stream does not tell of a pause. */
function askRespond(): void {
  const words = respondWords;
  respondAsked = Date.now();
  fetchRespond().then((told) => words === respondWords && takeRespond(told), () => undefined);
}

export function takeExecutions(items: readonly Execution[]): void {
  if (items.length > 0) {
    executions.set(merged(items, executions.get(), (one) => one.key).slice(0, executionsMax));
  }
}

export function delayOf(now: Status): number | null {
  const delays = now.watermarks.map((mark) => (Date.parse(now.now) - Date.parse(mark.time)) / 1000);
  return delays.length === 0 ? null : Math.max(0, ...delays);
}

export const behindOf = (now: Status): number => now.lag.reduce((sum, one) => sum + one.records, 0);

function takeStatus(now: Status): void {
  const pulse = { at: Date.parse(now.now), rate: now.events.per_second, behind: behindOf(now), delay: delayOf(now) };
  const last = pulses.get().at(-1);
  if (last === undefined || last.at < pulse.at) {
    pulses.set([...pulses.get(), pulse].slice(-pulsesMax));
  }
  if (now.baseline !== status.get()?.baseline || baseline.get() === null) {
    fetchBaseline().then((value) => baseline.set(value), () => undefined);
  }
  if (Date.now() - respondAsked > respondMs) {
    askRespond();
  }
  status.set(now);
}

/** Answers how to end it. */
function listen(position: string): () => void {
  let last = position;
  let source: EventSource | null = null;
  let heard = Date.now();
  let retry = 0;

  const on = <T>(kind: string, use: (value: T) => void): void =>
    source?.addEventListener(kind, (event) => {
      const message = event as MessageEvent<string>;
      heard = Date.now();
      if (message.lastEventId !== "") {
        last = message.lastEventId;
      }
      use(JSON.parse(message.data) as T);
    });

  const open = (): void => {
    source?.close();
    heard = Date.now();
    source = new EventSource(`/api/v1/stream?after=${encodeURIComponent(last)}`);
    source.addEventListener("open", () => {
      heard = Date.now();
      connection.set("live");
    });
    on<Finding>("finding", takeFinding);
    on<Execution>("action", (execution) => {
      waiting.executions.push(execution);
      soon();
    });
    on<Status>("status", takeStatus);
    source.addEventListener("error", () => {
      connection.set("lost");
      // A browser comes back by itself after a broken connection, not after an answer such as 503.
      if (source?.readyState === EventSource.CLOSED) {
        window.clearTimeout(retry);
        retry = window.setTimeout(open, retryMs);
      }
    });
  };

  // A connection can die without a word (a laptop that slept, a gateway that forgot it).
  const watch = window.setInterval(() => {
    if (source?.readyState === EventSource.OPEN && Date.now() - heard > silenceMs) {
      connection.set("lost");
      open();
    }
  }, 1_000);

  open();
  return () => {
    window.clearInterval(watch);
    window.clearTimeout(retry);
    source?.close();
  };
}

/** From now until the answer is called. */
export function follow(): () => void {
  let stop: (() => void) | null = null;
  let ended = false;
  let retry = 0;
  const begin = async (): Promise<void> => {
    try {
      const now = await fetchStatus();
      if (ended) {
        return;
      }
      takeStatus(now);
      stop = listen(now.position);
      const page = await fetchActions();
      nextActions.set(page.next);
      takeExecutions(page.items);
    } catch {
      if (!ended && stop === null) {
        connection.set("lost");
        retry = window.setTimeout(() => void begin(), retryMs);
      }
    }
  };
  void begin();
  return () => {
    ended = true;
    window.clearTimeout(retry);
    stop?.();
    connection.set("connecting");
  };
}
