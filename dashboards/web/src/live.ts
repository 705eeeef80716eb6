// SPDX-License-Identifier: Apache-2.0
// The live stream: begins where the store stood when the page was opened, comes back by itself, and misses nothing.
// What it says is handed on in batches, so that a burst costs one drawing and not a thousand.
import { useCallback, useEffect, useRef } from "preact/hooks";
import { fetchActions, fetchBaseline, fetchRespond, fetchStatus } from "./api";
import type { Baseline, Execution, Finding, Respond, Status } from "./model";
import { merged } from "./rows";
import { store } from "./store";
import type { Connection, Word } from "./stream";
import { share } from "./tabs";

export type { Connection } from "./stream";

export interface Pulse {
  at: number; // milliseconds
  rate: number | null; // events per second; null: another process counts them
  behind: number | null; // records
  delay: number | null; // seconds from the hindmost watermark to now
}

export const connection = store<Connection>("connecting");
export const status = store<Status | null>(null);
export const baseline = store<Baseline | null>(null);
export const pulses = store<readonly Pulse[]>([]);
export const executions = store<readonly Execution[]>([]); // those that were told of lately, the newest change first
export const respond = store<Respond | null>(null); // null: not known, or not offered
export const lostSince = store<number | null>(null); // milliseconds: since when the server does not answer
/** It is known where the stream begins: what a screen asks for from now on misses nothing of it. */
export const begun = store(false);

const retryMs = 2_000;
const batchMs = 40;
const respondMs = 8_000;
const pulsesMax = 900; // half an hour
const executionsMax = 2_000;

type Listeners<T> = Set<(told: T) => void>;
const ofFindings: Listeners<readonly Finding[]> = new Set();
const ofExecutions: Listeners<readonly Execution[]> = new Set();
const ofReturns: Listeners<void> = new Set();

function useHearing<T>(from: Listeners<T>, hear: (told: T) => void): void {
  useEffect(() => {
    from.add(hear);
    return () => void from.delete(hear);
  }, [from, hear]);
}

function say<T>(to: Listeners<T>, what: T): void {
  for (const hear of [...to]) {
    hear(what);
  }
}

/** What comes in while the part of the page that asks is shown. */
export const useLive = (hear: (findings: readonly Finding[]) => void): void => useHearing(ofFindings, hear);
export const useLiveExecutions = (hear: (told: readonly Execution[]) => void): void => useHearing(ofExecutions, hear);

/** The server answers again. */
export const useBack = (back: () => void): void => useHearing(ofReturns, back);

/** For what follows the stream by asking: however much is told, it is done once when that has settled. */
export function useSettled(act: () => void, ms: number): () => void {
  const due = useRef(0);
  useEffect(
    () => () => {
      window.clearTimeout(due.current);
      due.current = 0;
    },
    [act],
  );
  return useCallback(() => {
    due.current ||= window.setTimeout(() => {
      due.current = 0;
      act();
    }, ms);
  }, [act, ms]);
}

function connectionIs(now: Connection, since: number | null): void {
  const back = now === "live" && lostSince.get() !== null;
  connection.set(now);
  lostSince.set(since);
  if (back) {
    say(ofReturns, undefined);
  }
}

let waiting: { findings: Finding[]; executions: Execution[] } = { findings: [], executions: [] };
let due = 0;

function flush(): void {
  const told = waiting;
  waiting = { findings: [], executions: [] };
  due = 0;
  takeExecutions(told.executions);
  if (told.executions.length > 0) {
    say(ofExecutions, told.executions);
  }
  if (told.findings.length > 0) {
    say(ofFindings, told.findings);
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

/** The stream tells of each change; this is for what was missed. */
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

export const behindOf = (now: Status): number | null => now.lag?.reduce((sum, one) => sum + one.records, 0) ?? null;

function takeStatus(now: Status): void {
  const pulse = { at: Date.parse(now.now), rate: now.events?.per_second ?? null, behind: behindOf(now), delay: delayOf(now) };
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

function hear(word: Word): void {
  switch (word.kind) {
    case "connection":
      return connectionIs(word.now, word.since);
    case "finding":
      return takeFinding(JSON.parse(word.data) as Finding);
    case "action":
      waiting.executions.push(JSON.parse(word.data) as Execution);
      return soon();
    case "respond":
      return takeRespond(JSON.parse(word.data) as Respond);
    case "status":
      return takeStatus(JSON.parse(word.data) as Status);
  }
}

/** From now until the answer is called. */
export function follow(): () => void {
  const shared = share(hear);
  let ended = false;
  let known = false;
  let retry = 0;
  let filled = false;
  const fill = async (): Promise<void> => {
    takeExecutions((await fetchActions()).items);
    filled = true;
  };
  const back = (): void => void (filled || fill().catch(() => undefined));
  ofReturns.add(back);
  const begin = async (): Promise<void> => {
    try {
      const now = await fetchStatus();
      if (ended) {
        return;
      }
      known = true;
      takeStatus(now);
      shared.from(now.position);
      begun.set(true);
      await fill();
    } catch {
      if (!ended && !known) {
        connectionIs("lost", lostSince.get() ?? Date.now());
        begun.set(true); // each screen says itself what it lacks, and asks again when the server is back
        retry = window.setTimeout(() => void begin(), retryMs);
      }
    }
  };
  void begin();
  return () => {
    ended = true;
    ofReturns.delete(back);
    window.clearTimeout(retry);
    shared.end();
    begun.set(false);
    connectionIs("connecting", null);
  };
}
