// SPDX-License-Identifier: Apache-2.0
// What the monitor does, at a glance.
import type { Status } from "./api";
import { count, duration } from "./format";
import { behindOf, delayOf, pulses, status as statusNow } from "./live";
import { Spark } from "./marks";
import { useStore } from "./store";

function Figure(props: { name: string; value: string; note: string; alarm?: boolean; course?: readonly number[] }) {
  return (
    <div class={props.alarm === true ? "figure alarm" : "figure"}>
      <dt>{props.name}</dt>
      <dd>
        <strong>{props.value}</strong>
        {props.course !== undefined && <Spark values={props.course} length={60} />}
        <small title={props.note}>{props.note}</small>
      </dd>
    </div>
  );
}

/** Verified is what evidence has shown; done is what the other side accepted, and no more. */
function Remediated({ executions }: { executions: Status["executions"] }) {
  const { planned, waiting, running, done, verified, failed, ambiguous } = executions;
  const wrong = failed + ambiguous;
  const parts = [
    [done, "accepted"],
    [wrong, "failed"],
    [waiting, "waiting"],
    [planned + running, "under way"],
  ] as const;
  const said = parts.filter(([n]) => n > 0).slice(0, 2).map(([n, word]) => `${count(n)} ${word}`);
  return (
    <Figure
      name="Remediated, verified"
      value={count(verified)}
      note={said.length === 0 ? "none under way" : said.join(", ")}
      alarm={wrong > 0 || waiting > 0}
    />
  );
}

const elsewhere = "another process detects";

export function Figures() {
  const status = useStore(statusNow);
  const course = useStore(pulses);
  if (status === null) {
    return <dl class="figures" aria-busy="true" />;
  }
  const delay = delayOf(status);
  const behind = behindOf(status);
  const { events, detection } = status;
  const p50 = detection?.p50_seconds ?? null;
  const p99 = detection?.p99_seconds ?? null;
  const { critical, high } = status.findings.by_severity;
  return (
    <dl class="figures">
      <Figure
        name="Events"
        value={events === null ? "–" : `${count(Math.round(events.per_second))}/s`}
        note={events === null ? elsewhere : `${count(events.total)} read`}
        course={course.slice(-60).map((pulse) => pulse.rate ?? 0)}
      />
      <Figure name="Findings" value={count(status.findings.total)} note={`${count(critical)} critical, ${count(high)} high`} />
      <Remediated executions={status.executions} />
      <Figure
        name="Detection"
        value={p50 === null ? "–" : duration(p50)}
        note={detection === null ? elsewhere : p99 === null ? "nothing detected yet" : `99 of 100 within ${duration(p99)}`}
      />
      <Figure
        name="Watermark"
        value={delay === null ? "–" : duration(delay)}
        note={delay === null ? "no stream yet" : behind === null ? "behind" : behind === 0 ? "behind, all read" : `behind, ${count(behind)} records unread`}
      />
      <Figure
        name="Dead letters"
        value={count(status.dead_letters)}
        note={`${events === null ? "" : `${count(events.late)} late, `}${count(status.outbox.pending)} to be sent`}
        alarm={status.dead_letters > 0}
      />
    </dl>
  );
}
