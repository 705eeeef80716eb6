// SPDX-License-Identifier: Apache-2.0
// What people made of a finding: who looks after it, what they said, how it was closed.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Course, Detail, IncidentOf, TriageChange, TriageEntry } from "./api";
import { Refusal, messageOf, triage, triageIncident } from "./api";
import { count } from "./format";
import { takeFinding } from "./live";
import { Lines, Moment, Name } from "./marks";
import { useKeptFocus } from "./page";
import { may, who } from "./session";

type Verb = TriageChange["do"];

const titles: Record<Verb, string> = {
  acknowledge: "Acknowledge",
  assign: "Assign",
  comment: "Comment",
  close: "Close",
  reopen: "Reopen",
  suppress: "Suppress",
};

const told: Record<Verb, string> = {
  acknowledge: "acknowledged",
  assign: "assigned",
  comment: "said",
  close: "closed",
  reopen: "reopened",
  suppress: "suppressed",
};

const reasons = [
  ["true-positive", "True positive: it happened, and it was wrong"],
  ["false-positive", "False positive: it did not happen so"],
  ["benign", "Benign: it happened, and it was right"],
  ["duplicate", "Duplicate of another"],
] as const;

const verbsOf = (state: string): readonly Verb[] =>
  state === "closed" || state === "suppressed"
    ? ["reopen", "assign", "comment"]
    : state === "acknowledged"
      ? ["assign", "comment", "close", "suppress"]
      : ["acknowledge", "assign", "comment", "close", "suppress"];

const periods = [
  [1, "1 day"],
  [7, "7 days"],
  [30, "30 days"],
  [90, "90 days"],
] as const;

const days = (count: number): string =>
  new Date(Date.now() + count * 86_400_000).toISOString().replace(/\.\d+Z/, "Z");

function myName(): string {
  const now = who.get();
  return typeof now === "string" ? "" : now.name;
}

function Fields({ verb, set, draft }: { verb: Verb; draft: TriageChange; set: (draft: TriageChange) => void }) {
  return (
    <>
      {verb === "assign" && (
        <label>
          To
          <input
            maxLength={128}
            value={draft.assignee ?? ""}
            onInput={(event) => set({ ...draft, assignee: event.currentTarget.value })}
            placeholder="nobody"
          />
        </label>
      )}
      {verb === "close" && (
        <label>
          As
          <select value={draft.reason} onChange={(event) => set({ ...draft, reason: event.currentTarget.value })}>
            {reasons.map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        </label>
      )}
      {verb === "suppress" && (
        <>
          <p class="none">
            This and later findings of this rule by this agent show as suppressed until then. Verdicts, the findings' topic
            and remediation stay as they are.
          </p>
          <label>
            Why
            <input
              required
              maxLength={512}
              value={draft.reason ?? ""}
              onInput={(event) => set({ ...draft, reason: event.currentTarget.value })}
            />
          </label>
          <label>
            For
            <select onChange={(event) => set({ ...draft, until: days(Number(event.currentTarget.value)) })}>
              {periods.map(([count, text]) => (
                <option key={count} value={count}>
                  {text}
                </option>
              ))}
            </select>
          </label>
        </>
      )}
      <label>
        {verb === "comment" ? "Words" : "Words (if any)"}
        <textarea
          rows={2}
          maxLength={4096}
          required={verb === "comment"}
          value={draft.text ?? ""}
          onInput={(event) => set({ ...draft, text: event.currentTarget.value })}
        />
      </label>
    </>
  );
}

function draftOf(verb: Verb): TriageChange {
  return {
    do: verb,
    ...(verb === "assign" ? { assignee: myName() } : {}),
    ...(verb === "close" ? { reason: "true-positive" } : {}),
    ...(verb === "suppress" ? { reason: "", until: days(1) } : {}),
  };
}

/** What says nothing is not sent. */
function spoken(draft: TriageChange): TriageChange {
  const { text, ...rest } = draft;
  return text === undefined || text.trim() === "" ? rest : { ...rest, text: text.trim() };
}

/** Whether what is done is done with this finding or with all of its incident that stand. */
function Scope({ incident, whole, set }: { incident: IncidentOf; whole: boolean; set: (whole: boolean) => void }) {
  return (
    <div class="choices" role="group" aria-label="Of what">
      <button type="button" class="choice" aria-pressed={!whole} onClick={() => set(false)}>
        This finding
      </button>
      <button type="button" class="choice" aria-pressed={whole} onClick={() => set(true)}>
        All {count(incident.open)} of the incident
      </button>
    </div>
  );
}

interface Sent {
  words: string;
  of: number; // findings that it was promised to be done with
  course: Course;
}

/** Doing something with all of an incident, which goes on where it was cut off when the same is sent again. */
function useWhole(): (incident: IncidentOf, shown: number, what: TriageChange) => Promise<string | null> {
  const mine = useRef(0); // the greatest seq that was given out by this; what an incident sums up follows later
  const left = useRef<Sent | null>(null);
  return async (incident, shown, what) => {
    const words = JSON.stringify(what);
    if (left.current?.words !== words) {
      // What is on the screen is meant: nothing that came later.
      const upto = Math.max(incident.seq, shown, mine.current);
      left.current = { words, of: incident.open, course: { changed: 0, next: String(upto), seq: 0 } };
    }
    const { of, course } = left.current;
    try {
      await triageIncident(incident.id, course, what);
      left.current = null;
    } catch (error) {
      if (course.changed === 0 && error instanceof Refusal) {
        left.current = null;
      }
      throw error;
    } finally {
      mine.current = Math.max(mine.current, course.seq);
    }
    return course.changed < of
      ? `Done with ${count(course.changed)} of ${count(of)}: the others were so already, or changed meanwhile.`
      : null;
  };
}

function Desk({ detail, grouped, done }: { detail: Detail; grouped: boolean; done: () => void }) {
  const { uid, seq } = detail.finding;
  const incident = detail.incident !== null && detail.incident.open > 1 ? detail.incident : null;
  const [wanted, setWanted] = useState(grouped);
  const whole = wanted && incident !== null;
  const state = whole ? incident.state : detail.triage.state;
  const [draft, setDraft] = useState<TriageChange | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const [fewer, setFewer] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const sendWhole = useWhole();
  const box = useRef<HTMLDivElement>(null);
  const form = useRef<HTMLFormElement>(null);
  const last = useRef<Verb>("acknowledge");
  last.current = draft?.do ?? last.current;
  useKeptFocus(box, `[data-verb="${last.current}"]`);
  useEffect(() => form.current?.querySelector<HTMLElement>("input, select, textarea")?.focus(), [draft?.do]);
  const send = (what: TriageChange): void => {
    if (busy) {
      return;
    }
    last.current = what.do;
    setBusy(true);
    setFewer(null);
    const sent = whole
      ? sendWhole(incident, seq, spoken(what))
      : triage(uid, spoken(what)).then(({ finding }) => (takeFinding(finding), null));
    sent
      .then(
        (said) => {
          setDraft(null);
          setTrouble(null);
          setFewer(said);
          done();
        },
        (error: unknown) => setTrouble(messageOf(error)),
      )
      .finally(() => setBusy(false));
  };
  return (
    <div class="desk-box" ref={box}>
      {incident !== null && <Scope incident={incident} whole={whole} set={setWanted} />}
      <div class="verbs" role="group" aria-label="Triage">
        {verbsOf(state).map((verb) => (
          <button
            key={verb}
            type="button"
            class={verb === "acknowledge" ? "button main" : "button"}
            aria-expanded={verb === "acknowledge" || verb === "reopen" ? undefined : draft?.do === verb}
            data-verb={verb}
            aria-disabled={busy}
            onClick={() =>
              verb === "acknowledge" || verb === "reopen"
                ? send({ do: verb })
                : setDraft(draft?.do === verb ? null : draftOf(verb))
            }
          >
            {titles[verb]}
          </button>
        ))}
      </div>
      {draft !== null && (
        <form
          class="desk"
          ref={form}
          onSubmit={(event) => {
            event.preventDefault();
            send(draft);
          }}
          onKeyDown={(event) => {
            if (event.key === "Escape") {
              event.preventDefault();
              event.stopPropagation();
              setDraft(null);
            }
          }}
        >
          <Fields verb={draft.do} draft={draft} set={setDraft} />
          <p class="verbs">
            <button type="submit" class="button main" aria-disabled={busy}>
              {titles[draft.do]}
            </button>
            <button type="button" class="quiet" onClick={() => setDraft(null)}>
              Cancel
            </button>
          </p>
        </form>
      )}
      {fewer !== null && (
        <p class="none" role="status">
          {fewer}
        </p>
      )}
      {trouble !== null && (
        <p class="said" role="alert">
          {trouble}
        </p>
      )}
    </div>
  );
}

function Entry({ entry }: { entry: TriageEntry }) {
  return (
    <li>
      <Moment time={entry.at} />
      <span>
        <strong>
          <Name text={entry.who} />
        </strong> {told[entry.do as Verb] ?? entry.do}
      </span>
      {entry.text !== null && entry.text !== "" && <p><Lines text={entry.text} /></p>}
    </li>
  );
}

export function Triage({ detail, grouped, done }: { detail: Detail; grouped: boolean; done: () => void }) {
  const { triage: course, finding } = detail;
  return (
    <section class="triage">
      <p class="triage-state">
        <span class={`mark triage-mark ${course.state}`}>{course.state}</span>
        <span class="none">
          {course.assignee === null ? (
            "nobody looks after it"
          ) : (
            <>
              <Name text={course.assignee} /> looks after it
            </>
          )}
        </span>
      </p>
      {may("triage") && <Desk key={finding.uid} detail={detail} grouped={grouped} done={done} />}
      {course.history.length > 0 && (
        <ol class="history">
          {course.history.map((entry, i) => (
            <Entry key={i} entry={entry} />
          ))}
        </ol>
      )}
    </section>
  );
}
