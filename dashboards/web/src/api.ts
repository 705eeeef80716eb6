// SPDX-License-Identifier: Apache-2.0
// How the console's API is asked (dashboards/openapi.yaml); what it answers stands in model.ts.
import type {
  AuditRow,
  Baseline,
  Coverage,
  Detail,
  Execution,
  ExecutionDetail,
  Filter,
  Finding,
  Fleet,
  Incident,
  IncidentTriaged,
  JournalRow,
  MadeToken,
  Page,
  Posture,
  Remediation,
  Respond,
  Session,
  Statement,
  Status,
  System,
  Token,
  TriageChange,
  User,
  Waiver,
} from "./model";
import { textOf as query } from "./address";
import { queryOf } from "./filter";

export type * from "./model";

/** An answer that is not what was asked for. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly retryAfter: number | null,
  ) {
    super(message);
  }
}

/** No answer came: the server is not there, or there is no way to it. */
export class Silence extends Error {
  constructor() {
    super("The server does not answer. It is asked again until it does.");
  }
}

/** The server has no such path: it is older than the page, or offers less. */
export const notOffered = (trouble: unknown): boolean => trouble instanceof Refusal && trouble.status === 404;
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

let holder: Session | null = null;
export const keepSession = (session: Session | null): void => void (holder = session);

/** Told when the server no longer knows who asks ("stranger"), or knows him by another session ("another"). */
export const strangers = new EventTarget();

async function refusalOf(answer: Response): Promise<Refusal> {
  const problem: unknown = await answer.json().catch(() => null);
  const detail = (problem as { detail?: unknown } | null)?.detail;
  const after = Number(answer.headers.get("retry-after"));
  const message = typeof detail === "string" ? detail : `${answer.status} ${answer.statusText}`;
  return new Refusal(answer.status, message, after > 0 ? after : null);
}

/** Another tab may have logged in meanwhile. The same person may ask again; in another one's name nothing is done. */
async function isAnother(before: Session): Promise<boolean> {
  const now = await fetchSession();
  if (now.csrf === before.csrf) {
    return false;
  }
  strangers.dispatchEvent(new CustomEvent("another", { detail: now }));
  return now.name === before.name && now.via === before.via;
}

async function ask(method: string, path: string, body?: unknown): Promise<Response> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (body !== undefined) {
    headers["content-type"] = "application/json";
  }
  const mine = method === "GET" ? null : holder;
  if (mine !== null && mine.csrf !== null) {
    headers["x-csrf-token"] = mine.csrf;
  }
  const asked = { method, headers, body: body === undefined ? null : JSON.stringify(body) };
  const answer = await fetch(path, asked).catch((error: unknown) => {
    throw error instanceof TypeError ? new Silence() : error; // the browser's word for it is "Failed to fetch"
  });
  if (!answer.ok) {
    const refusal = await refusalOf(answer);
    if (answer.status === 401 && path !== "/api/v1/session") {
      strangers.dispatchEvent(new Event("stranger"));
    }
    if (answer.status === 403 && mine !== null && (await isAnother(mine))) {
      return ask(method, path, body);
    }
    throw refusal;
  }
  return answer;
}

const get = async <T>(path: string): Promise<T> => (await (await ask("GET", path)).json()) as T;

async function change<T>(method: string, path: string, body?: unknown): Promise<T> {
  const text = await (await ask(method, path, body)).text();
  return (text === "" ? null : JSON.parse(text)) as T;
}

const part = encodeURIComponent;

export const fetchSession = (): Promise<Session> => get("/api/v1/session");
export const logIn = (name: string, password: string): Promise<Session> =>
  change("POST", "/api/v1/session", { name, password });
export const setOwnPassword = (present: string, password: string): Promise<null> =>
  change("POST", "/api/v1/session/password", { present, password });
export const logOut = (): Promise<null> => change("DELETE", "/api/v1/session");

export const fetchFindings = (filter: Filter, after = "", limit = 100): Promise<Page<Finding>> =>
  get(`/api/v1/findings${query({ ...queryOf(filter), after, limit: String(limit) })}`);
export const fetchIncidents = (filter: Filter, after = "", limit = 100): Promise<Page<Incident>> =>
  get(`/api/v1/incidents${query({ ...queryOf(filter), after, limit: String(limit) })}`);
export const fetchDetail = (uid: string): Promise<Detail> => get(`/api/v1/findings/${part(uid)}`);
export const triage = (uid: string, what: TriageChange): Promise<{ finding: Finding }> =>
  change("POST", `/api/v1/findings/${part(uid)}/triage`, what);
/** How far something is done with all of an incident. */
export interface Course {
  changed: number;
  next: string | null;
  seq: number; // the greatest that a finding got by it
}

/**
 * All of an incident that stands and has no greater seq than the course begins with: request after request, as long as
 * there are more. After a failure the course says where to go on, so that nothing is entered twice.
 */
export async function triageIncident(id: number, course: Course, what: TriageChange): Promise<void> {
  while (course.next !== null) {
    try {
      const asked = { ...what, upto: course.next };
      const done: IncidentTriaged = await change("POST", `/api/v1/incidents/${id}/triage`, asked);
      course.changed += done.changed;
      course.seq = Math.max(course.seq, done.seq);
      course.next = done.next;
    } catch (error) {
      if (course.changed === 0 || !(error instanceof Refusal && error.status === 409)) {
        throw error;
      }
      course.next = null; // somebody else has done something with all that was left
    }
  }
}
export const fetchWaivers = (after: string, limit: number): Promise<{ items: Waiver[]; next: string | null }> =>
  get(`/api/v1/waivers${query({ after, limit: String(limit) })}`);
export const endWaiver = (id: string): Promise<null> => change("DELETE", `/api/v1/waivers/${part(id)}`);

export const fetchActions = (state = "", after = "", limit = 100): Promise<Page<Execution>> =>
  get(`/api/v1/actions${query({ state, after, limit: String(limit) })}`);
export const fetchActionsOf = (tenant: string | null, agent: string, after: string, limit: number): Promise<Page<Execution>> =>
  get(`/api/v1/actions${query({ tenant, agent, after, limit: String(limit) })}`);
export const fetchExecution = (key: string): Promise<ExecutionDetail> => get(`/api/v1/executions/${part(key)}`);
export const undo = (key: string): Promise<unknown> => change("POST", `/api/v1/executions/${part(key)}/undo`, {});
export const fetchStatement = (key: string, asked: Record<string, string>): Promise<Statement> =>
  get(`/api/v1/executions/${part(key)}/approval${query(asked)}`);
export const approve = (key: string, body: Record<string, string>): Promise<unknown> =>
  change("POST", `/api/v1/executions/${part(key)}/approval`, body);
export const fetchRespond = (): Promise<Respond> => get("/api/v1/respond");
export const setRespond = (paused: boolean, why: string): Promise<Respond> =>
  change("POST", "/api/v1/respond", { paused, why });

export const fetchBaseline = (): Promise<Baseline> => get("/api/v1/baseline");
export const fetchStatus = (): Promise<Status> => get("/api/v1/status");
export const fetchCoverage = (from: string, to: string): Promise<Coverage> => get(`/api/v1/coverage${query({ from, to })}`);
export const fetchPosture = (from: string, to: string): Promise<Posture> => get(`/api/v1/posture${query({ from, to })}`);
export const fetchRemediation = (from: string, to: string): Promise<Remediation> =>
  get(`/api/v1/remediation${query({ from, to })}`);
export const fetchFleet = (tenant: string, order: string, after: string, limit: number): Promise<Fleet> =>
  get(`/api/v1/fleet${query({ tenant, order, after, limit: String(limit) })}`);
export const fetchSystem = (): Promise<System> => get("/api/v1/system");
export const fetchJournal = (): Promise<{ items: JournalRow[] }> => get("/api/v1/journal?limit=50");
export const fetchAudit = (asked: Record<string, string>): Promise<{ items: AuditRow[]; next: string | null }> =>
  get(`/api/v1/audit${query(asked)}`);

/** All pages of a list that is not long. */
async function all<T>(path: string): Promise<T[]> {
  const items: T[] = [];
  let after = "";
  do {
    const page: { items: T[]; next: string | null } = await get(path + query({ after }));
    items.push(...page.items);
    after = page.next ?? "";
  } while (after !== "");
  return items;
}

export const fetchUsers = (): Promise<User[]> => all("/api/v1/users");
export const addUser = (user: { name: string; password: string; roles: string[] }): Promise<User> => change("POST", "/api/v1/users", user);
export const removeUser = (name: string): Promise<null> => change("DELETE", `/api/v1/users/${part(name)}`);
export const setRoles = (name: string, roles: string[]): Promise<null> => change("POST", `/api/v1/users/${part(name)}/roles`, { roles });
export const setPassword = (name: string, password: string): Promise<null> =>
  change("POST", `/api/v1/users/${part(name)}/password`, { password });
export const fetchTokens = (): Promise<Token[]> => all("/api/v1/tokens");
export const makeToken = (token: { name: string; roles: string[]; expires: string }): Promise<MadeToken> =>
  change("POST", "/api/v1/tokens", token);
export const revokeToken = (id: string): Promise<null> => change("DELETE", `/api/v1/tokens/${part(id)}`);
