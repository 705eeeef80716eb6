// SPDX-License-Identifier: Apache-2.0
// One run of a playbook in full: its steps, what it went through, and what can be decided about it.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { hrefOf } from "./address";
import type { Execution, ExecutionDetail } from "./api";
import { fetchExecution, messageOf, undo } from "./api";
import { Approval } from "./approval";
import { ExecutionCard } from "./execution";
import { executions, takeExecutions } from "./live";
import { Icon, Moment, Name, SeverityMark, stateWord } from "./marks";
import { useKeptFocus, usePaneFocus } from "./page";
import { may } from "./session";
import { useStore } from "./store";
import { Lacking, useAsked } from "./trouble";

function nameOf(execution: Execution, position: number | null): string {
  return position === null
    ? ""
    : `${execution.steps.find((step) => step.position === position)?.name ?? `step ${position}`}: `;
}

function Course({ detail }: { detail: ExecutionDetail }) {
  return (
    <section>
      <h3>Its course</h3>
      <ol class="course">
        {detail.log.map((entry, i) => (
          <li key={i}>
            <Moment time={entry.at} whole />
            <span>
              {nameOf(detail.execution, entry.step)}
              {stateWord(entry.state)}
            </span>
            {entry.cause !== null && entry.cause !== "" && <small><Name text={entry.cause} /></small>}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Approvals({ detail }: { detail: ExecutionDetail }) {
  return detail.approvals.length === 0 ? null : (
    <section>
      <h3>What was decided</h3>
      <ol class="course">
        {detail.approvals.map((one, i) => (
          <li key={i}>
            <Moment time={one.at} whole />
            <span>
              <strong>{one.decision}</strong> by <Name text={one.key} /> as <Name text={one.role} />
            </span>
            <small>
              <Name text={[one.reason ?? "", one.verdict].filter((text) => text !== "").join(" · ")} />
            </small>
          </li>
        ))}
      </ol>
    </section>
  );
}

const undoable = new Set(["done", "verified", "failed", "ambiguous"]);

/** Asked twice, for it calls the other side. */
function Undo({ execution, done }: { execution: Execution; done: () => void }) {
  const [sure, setSure] = useState(false);
  const [trouble, setTrouble] = useState<string | null>(null);
  const box = useRef<HTMLParagraphElement>(null);
  useKeptFocus(box, "button");
  if (!may("respond") || !undoable.has(execution.state)) {
    return null;
  }
  const send = (): void => {
    setSure(false);
    undo(execution.key).then(
      () => {
        setTrouble(null);
        done();
      },
      (error: unknown) => setTrouble(messageOf(error)),
    );
  };
  return (
    <p class="verbs undo" ref={box}>
      <button type="button" class="button grave" onClick={() => (sure ? send() : setSure(true))}>
        {sure ? "Yes, take it back" : "Take it back"}
      </button>
      {sure && (
        <button type="button" class="quiet" onClick={() => setSure(false)}>
          Cancel
        </button>
      )}
      {trouble !== null && (
        <span class="said" role="alert">
          {trouble}
        </span>
      )}
    </p>
  );
}

export function ExecutionPane({ id, close }: { id: string; close: () => void }) {
  const known = useStore(executions).find((one) => one.key === id);
  const { value, trouble, again } = useAsked(useCallback(() => fetchExecution(id), [id]));
  const detail = value?.execution.key === id ? value : null;
  const pane = useRef<HTMLElement>(null);
  usePaneFocus(pane, id);
  useEffect(() => takeExecutions(detail === null ? [] : [detail.execution]), [detail]);
  // What the stream tells is newer than what was asked: its course is asked for again.
  useEffect(() => {
    if (known !== undefined && detail !== null && known.seq > detail.execution.seq) {
      again();
    }
  }, [known?.seq, detail?.execution.seq, again]);
  const execution = known ?? detail?.execution;
  return (
    <aside class="pane detail" aria-labelledby="run-title" ref={pane} tabIndex={-1}>
      <header>
        <div>
          {execution !== undefined && (
            <p class="eyebrow">
              <SeverityMark severity={execution.severity} />
              <a href={hrefOf("findings", [execution.finding])}>
                {execution.rule}
                {execution.agent !== null && (
                  <>
                    {" by "}
                    <Name text={execution.agent} />
                  </>
                )}
              </a>
              {execution.tenant !== null && <Name text={execution.tenant} />}
            </p>
          )}
          <h2 id="run-title"><Name text={execution?.title ?? "A run"} /></h2>
        </div>
        <button type="button" class="quiet icon" onClick={close} aria-label="Close the run">
          <Icon path="M6 6l12 12M18 6 6 18" />
        </button>
      </header>
      <div class="scroller" role="group" aria-labelledby="run-title" tabIndex={0}>
        <Lacking value={detail} trouble={trouble} what="this run" absent="There is no such run" />
        {execution !== undefined && <ExecutionCard execution={execution} />}
        {execution !== undefined && <Undo execution={execution} done={again} />}
        {detail !== null && (
          <>
            <Approval key={id} detail={detail} done={again} />
            <Approvals detail={detail} />
            <Course detail={detail} />
          </>
        )}
      </div>
    </aside>
  );
}
