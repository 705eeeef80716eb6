// SPDX-License-Identifier: Apache-2.0
// One run of a playbook, with its steps.
import { hrefOf } from "./address";
import type { Execution, Step } from "./api";
import { between, count, duration, when } from "./format";
import { Moment, Name, StateMark, stateWord } from "./marks";

function StepLine({ step }: { step: Step }) {
  const attempts = step.attempt > 1 ? `attempt ${step.attempt} of ${step.attempts}` : "";
  const answered = step.status > 0 ? `answered ${step.status}` : "";
  const later = step.undoes !== null && step.due !== null ? `at ${when(step.due)}` : "";
  const took =
    step.started !== null && step.finished !== null ? `in ${duration(Math.max(0, between(step.started, step.finished)))}` : "";
  const notes = [attempts, answered, took, later, step.cause ?? ""].filter((note) => note !== "");
  return (
    <li class={`step ${step.state}`}>
      <span class="dot" aria-hidden="true" />
      <span class="step-name">
        <Name text={step.undoes === null ? step.name : `undo ${step.name}`} />
      </span>
      <code>
        <Name text={step.kind} />
      </code>
      <span class="step-state">{stateWord(step.state)}</span>
      {notes.length > 0 && <small><Name text={notes.join(" · ")} /></small>}
    </li>
  );
}

/** How long it took, as far as it has come. */
function Times({ times }: { times: Execution["times"] }) {
  const told = [
    ["detected after", times.detect],
    ["acted after", times.act],
    ["contained after", times.contain],
  ] as const;
  return (
    <>
      {told.map(
        ([word, seconds]) =>
          seconds !== null && (
            <span key={word}>
              {word} {duration(Math.max(0, seconds))}
            </span>
          ),
      )}
    </>
  );
}

export function ExecutionCard({ execution, linked }: { execution: Execution; linked?: boolean }) {
  return (
    <article class="execution">
      <header>
        <h3>
          <Name text={execution.playbook} />
        </h3>
        <StateMark state={execution.state} />
      </header>
      <p class="about">
        {execution.target !== null && <code><Name text={execution.target} /></code>}
        {execution.planned !== null && <Moment time={execution.planned} />}
        {execution.mode === "observe" && <span>observed only</span>}
        {execution.findings > 1 && <span>answers {count(execution.findings)} findings</span>}
        <Times times={execution.times} />
      </p>
      {execution.cause !== null && <p class="cause"><Name text={execution.cause} /></p>}
      <ol class="steps">
        {execution.steps.map((step) => (
          <StepLine key={step.key} step={step} />
        ))}
      </ol>
      {linked === true && (
        <p class="links">
          <a href={hrefOf("remediation", [execution.key])}>The run</a>
        </p>
      )}
    </article>
  );
}
