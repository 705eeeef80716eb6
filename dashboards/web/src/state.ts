// SPDX-License-Identifier: Apache-2.0
// What the page knows, and how it changes. Findings that come while somebody reads wait in "fresh" until asked for.
import type { Baseline, Execution, Filter, Finding, Page, Status } from "./api";
import { passes } from "./api";
import type { Connection } from "./stream";

export interface State {
  connection: Connection;
  status: Status | null;
  rates: number[]; // events per second, the newest last
  baseline: Baseline | null;
  filter: Filter;
  rows: Finding[]; // as shown, the newest change first
  fresh: Finding[]; // not shown yet, the newest first
  arrived: ReadonlySet<string>; // uids that came in with the last change, to be pointed out once
  next: string | null; // cursor of the rows behind the last
  loading: boolean;
  trouble: string | null;
  actions: Execution[]; // the newest change first
}

export type Change =
  | { kind: "connection"; connection: Connection }
  | { kind: "status"; status: Status }
  | { kind: "baseline"; baseline: Baseline }
  | { kind: "filter"; filter: Filter }
  | { kind: "page"; page: Page<Finding>; more: boolean }
  | { kind: "actions"; items: Execution[] }
  | { kind: "finding"; finding: Finding; reading: boolean }
  | { kind: "action"; execution: Execution }
  | { kind: "show-fresh" }
  | { kind: "trouble"; text: string | null };

export const noFilter: Filter = { severities: [], rule: "", criterion: "" };
const rowsMax = 2000;
const actionsMax = 100;
const ratesMax = 60;

export const initial: State = {
  connection: "connecting",
  status: null,
  rates: [],
  baseline: null,
  filter: noFilter,
  rows: [],
  fresh: [],
  arrived: new Set(),
  next: null,
  loading: true,
  trouble: null,
  actions: [],
};

const without = (list: Finding[], uid: string): Finding[] => list.filter((row) => row.uid !== uid);

/** Both lists, each key once and as it was said last: an answer can come behind a newer word of the stream. */
export function merged<T extends { seq: number }>(one: T[], other: T[], key: (item: T) => string): T[] {
  const newest = new Map<string, T>();
  for (const item of [...one, ...other]) {
    const known = newest.get(key(item));
    if (known === undefined || known.seq < item.seq) {
      newest.set(key(item), item);
    }
  }
  return [...newest.values()].sort((a, b) => b.seq - a.seq);
}

export const mergedActions = (one: Execution[], other: Execution[]): Execution[] =>
  merged(one, other, (execution) => execution.key);

function withFinding(state: State, finding: Finding, reading: boolean): State {
  const shown = state.rows.find((row) => row.uid === finding.uid);
  if (!passes(state.filter, finding) || (shown !== undefined && shown.seq >= finding.seq)) {
    return state;
  }
  if (shown !== undefined) {
    // It stays where it is: only what it says has changed.
    return { ...state, rows: state.rows.map((row) => (row.uid === finding.uid ? finding : row)) };
  }
  if (reading || state.loading) {
    return { ...state, fresh: [finding, ...without(state.fresh, finding.uid)].slice(0, rowsMax) };
  }
  return {
    ...state,
    rows: [finding, ...state.rows].slice(0, rowsMax),
    arrived: new Set([finding.uid]),
  };
}

function withFresh(state: State): State {
  const known = new Set(state.fresh.map((row) => row.uid));
  return {
    ...state,
    rows: [...state.fresh, ...state.rows.filter((row) => !known.has(row.uid))].slice(0, rowsMax),
    arrived: known,
    fresh: [],
  };
}

/** A row of an answer, brought up to what the stream has said of it meanwhile. */
function upToDate(state: State, row: Finding): Finding {
  const known = [...state.rows, ...state.fresh].find((one) => one.uid === row.uid);
  const newest = known !== undefined && known.seq > row.seq ? known : row;
  const action = state.actions.find((execution) => execution.finding === row.uid);
  return action === undefined ? newest : { ...newest, action: action.state };
}

function withPage(state: State, page: Page<Finding>, more: boolean): State {
  const answered = { ...state, next: page.next, loading: false, trouble: null };
  const items = page.items.map((row) => upToDate(state, row));
  if (more) {
    const known = new Set(state.rows.map((row) => row.uid));
    return { ...answered, rows: [...state.rows, ...items.filter((row) => !known.has(row.uid))] };
  }
  const known = new Set(items.map((row) => row.uid));
  const fresh = state.fresh.filter((row) => !known.has(row.uid) && passes(state.filter, row));
  return { ...answered, rows: items, fresh, arrived: new Set() };
}

function withAction(state: State, execution: Execution): State {
  const mark = (row: Finding): Finding =>
    row.uid === execution.finding ? { ...row, action: execution.state } : row;
  return {
    ...state,
    rows: state.rows.map(mark),
    fresh: state.fresh.map(mark),
    actions: mergedActions([execution], state.actions).slice(0, actionsMax),
  };
}

export function reduce(state: State, change: Change): State {
  switch (change.kind) {
    case "connection":
      return { ...state, connection: change.connection };
    case "status":
      return {
        ...state,
        status: change.status,
        rates: [...state.rates, change.status.events.per_second].slice(-ratesMax),
      };
    case "baseline":
      return { ...state, baseline: change.baseline };
    case "filter":
      return { ...state, filter: change.filter, fresh: [], loading: true };
    case "page":
      return withPage(state, change.page, change.more);
    case "actions":
      return { ...state, actions: mergedActions(state.actions, change.items).slice(0, actionsMax) };
    case "finding":
      return withFinding(state, change.finding, change.reading);
    case "action":
      return withAction(state, change.execution);
    case "show-fresh":
      return withFresh(state);
    case "trouble":
      return { ...state, trouble: change.text, loading: false };
  }
}
