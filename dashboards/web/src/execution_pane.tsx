// SPDX-License-Identifier: Apache-2.0
// One run of a playbook in full: its steps, what it went through, and what can be decided about it.
import { useCallback, useEffect, useRef } from "preact/hooks";
import { hrefOf } from "./address";
import type { Execution } from "./api";
import { fetchExecution, notOffered } from "./api";
import { ExecutionCard } from "./execution";
import { executions } from "./live";
import { Icon, Moment, SeverityMark, stateWord } from "./marks";
import { useStore } from "./store";
import { Trouble, useAsked } from "./trouble";

function Log({ execution }: { execution: Execution }) {
  const { value, trouble, again } = useAsked(useCallback(() => fetchExecution(execution.key), [execution.key]));
  useEffect(again, [execution.seq, again]);
  if (trouble !== null) {
    return <Trouble trouble={trouble} what="the course of a run" />;
  }
  return (
    <ol class="course">
      {value?.log.map((entry, i) => (
        <li key={i}>
          <Moment time={entry.at} whole />
          <span>
            {entry.step === null ? "" : `${execution.steps.find((step) => step.position === entry.step)?.name ?? `step ${entry.step}`}: `}
            {stateWord(entry.state)}
          </span>
          {entry.cause !== null && entry.cause !== "" && <small>{entry.cause}</small>}
        </li>
      ))}
    </ol>
  );
}

export function ExecutionPane({ id, close }: { id: string; close: () => void }) {
  const known = useStore(executions).find((one) => one.key === id);
  const { value, trouble } = useAsked(useCallback(() => fetchExecution(id), [id]));
  const execution = known ?? (value?.execution.key === id ? value.execution : undefined);
  const pane = useRef<HTMLElement>(null);
  useEffect(() => pane.current?.focus(), [id]);
  return (
    <aside class="pane detail" aria-labelledby="run-title" ref={pane} tabIndex={-1}>
      <header>
        <div>
          {execution !== undefined && (
            <p class="eyebrow">
              <SeverityMark severity={execution.severity} />
              <a href={hrefOf("findings", [execution.finding])}>
                {execution.rule}
                {execution.agent === null ? "" : ` by ${execution.agent}`}
              </a>
              {execution.tenant !== null && <span>{execution.tenant}</span>}
            </p>
          )}
          <h2 id="run-title">{execution?.title ?? "A run"}</h2>
        </div>
        <button type="button" class="quiet icon" onClick={close} aria-label="Close the run">
          <Icon path="M6 6l12 12M18 6 6 18" />
        </button>
      </header>
      <div class="scroller" role="group" aria-labelledby="run-title" tabIndex={0}>
        {execution === undefined && trouble !== null && (
          <Trouble trouble={trouble} what={notOffered(trouble) ? "this run" : "the run"} />
        )}
        {execution !== undefined && (
          <>
            <ExecutionCard execution={execution} />
            <section>
              <h3>Its course</h3>
              <Log execution={execution} />
            </section>
          </>
        )}
      </div>
    </aside>
  );
}
