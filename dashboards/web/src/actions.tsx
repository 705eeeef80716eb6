// SPDX-License-Identifier: Apache-2.0
// What is being done: executions of playbooks with their steps.
import type { Execution, Step } from "./api";
import { between, count, duration, when } from "./format";
import { StateMark } from "./marks";

function StepLine({ step }: { step: Step }) {
  const attempts = step.attempt > 1 ? `attempt ${step.attempt} of ${step.attempts}` : "";
  const answered = step.status > 0 ? `answered ${step.status}` : "";
  const later = step.undoes !== null && step.due !== null ? `at ${when(step.due)}` : "";
  const notes = [attempts, answered, later, step.cause ?? ""].filter((note) => note !== "");
  return (
    <li class={`step ${step.state}`}>
      <span class="dot" aria-hidden="true" />
      <span class="step-name">{step.undoes === null ? step.name : `undo ${step.name}`}</span>
      <code>{step.kind}</code>
      <span class="step-state">{step.state}</span>
      {notes.length > 0 && <small>{notes.join(" · ")}</small>}
    </li>
  );
}

export function ExecutionCard(props: { execution: Execution; open?: (uid: string) => void }) {
  const { execution } = props;
  const took =
    execution.planned !== null && execution.finished !== null ? between(execution.planned, execution.finished) : null;
  return (
    <article class="execution">
      <header>
        <h3>{execution.playbook}</h3>
        <StateMark state={execution.state} />
      </header>
      <p class="about">
        {execution.target !== null && <code>{execution.target}</code>}
        {execution.planned !== null && (
          <time dateTime={execution.planned} title={execution.planned}>
            {when(execution.planned)}
          </time>
        )}
        {execution.mode === "observe" && <span>observed only</span>}
        {execution.findings > 1 && <span>answers {count(execution.findings)} findings</span>}
        {took !== null && <span>in {duration(took)}</span>}
      </p>
      {execution.cause !== null && <p class="cause">{execution.cause}</p>}
      <ol class="steps">
        {execution.steps.map((step) => (
          <StepLine key={step.key} step={step} />
        ))}
      </ol>
      {props.open !== undefined && (
        <button type="button" class="quiet link" onClick={() => props.open?.(execution.finding)}>
          {execution.rule} {execution.agent === null ? "" : `by ${execution.agent}`}
        </button>
      )}
    </article>
  );
}

export function Actions({ actions, open }: { actions: Execution[]; open: (uid: string) => void }) {
  return (
    <section class="side actions" aria-labelledby="actions-title">
      <h2 id="actions-title">Remediation</h2>
      <div class="scroller" role="group" aria-labelledby="actions-title" tabIndex={0}>
        {actions.length === 0 ? (
          <p class="empty">
            <strong>No playbook has run yet</strong>
            <span>Executions and their steps appear here as they happen.</span>
          </p>
        ) : (
          actions.map((execution) => <ExecutionCard key={execution.key} execution={execution} open={open} />)
        )}
      </div>
    </section>
  );
}
