// SPDX-License-Identifier: Apache-2.0
// The screen of the monitor itself: what it reads and how fast, what it lost, whom it tells, by which baseline.
import type { ComponentChildren } from "preact";
import { useCallback, useState } from "preact/hooks";
import type { Place } from "./address";
import type { Coverage, CoveredPartition, Histogram, JournalRow, Sink, Status, System, Worker } from "./api";
import { fetchCoverage, fetchJournal, fetchSystem } from "./api";
import { Chart } from "./chart";
import { Figures } from "./figures";
import { ago, bytes, count, duration, earlier, percent, plural, short } from "./format";
import type { Pulse } from "./live";
import { baseline, pulses, status as statusNow } from "./live";
import { Moment, Name } from "./marks";
import { useTitle } from "./page";
import { useStore } from "./store";
import { Strip, spansOf } from "./strip";
import { Lacking, Trouble, useAsked } from "./trouble";

function Card(props: { title: string; note?: string; class?: string; children: ComponentChildren }) {
  return (
    <section class={`card ${props.class ?? ""}`} aria-label={props.title}>
      <header>
        <h2>{props.title}</h2>
        {props.note !== undefined && <p class="none">{props.note}</p>}
      </header>
      <div class="card-body">{props.children}</div>
    </section>
  );
}

interface CourseProps {
  title: string;
  colour: string;
  value: (pulse: Pulse) => number | null;
  say: (value: number) => string;
}

const leastSeconds = 60; // of a course: with less of it, the chart would be a few steps wide

/** Between two whole numbers an axis has nothing to say. */
const wholeNumber = (n: number): string => (Number.isInteger(n) ? count(n) : "");

function Course(props: CourseProps) {
  const all = useStore(pulses);
  const end = (all.at(-1)?.at ?? Date.now()) / 1000;
  const first = (all[0]?.at ?? Date.now()) / 1000;
  const range: [number, number] = [first, Math.max(end, first + leastSeconds)]; // it grows from the left
  const values = all.map(props.value);
  const last = values.at(-1) ?? null;
  return (
    <Card title={props.title} note={last === null ? "–" : props.say(last)}>
      <Chart
        label={`${props.title} since this page was opened, now ${last === null ? "unknown" : props.say(last)}`}
        x={all.map((pulse) => pulse.at / 1000)}
        lines={[{ name: props.title, values, colour: props.colour, kind: "line" }]}
        height={150}
        yValue={(n) => (n === 0 ? "0" : props.say(n))}
        xRange={range}
        xSpace={90}
      />
    </Card>
  );
}

/** As short as under a bar. */
function bound(le: number | null): string {
  return le === null ? "more" : le < 1 ? `${Math.round(le * 1e6) / 1e3} ms` : le < 60 ? `${le} s` : `${le / 60} min`;
}

/** Without what is empty at either end. */
function busy(buckets: Histogram["buckets"]): Histogram["buckets"] {
  const some = buckets.map((bucket) => bucket.count > 0);
  return buckets.slice(Math.max(0, some.indexOf(true) - 2), some.lastIndexOf(true) + 3);
}

function Latency({ histogram }: { histogram: Histogram }) {
  const buckets = busy(histogram.buckets);
  const total = buckets.reduce((sum, bucket) => sum + bucket.count, 0);
  return total === 0 ? (
    <p class="none">Nothing was measured yet.</p>
  ) : (
    <Chart
      label={`Of ${total} measured: ${buckets.map(({ le, count: n }) => `${n} up to ${bound(le)}`).join(", ")}`}
      x={buckets.map((_, i) => i)}
      lines={[{ name: histogram.name, values: buckets.map((bucket) => bucket.count), colour: "--accent", kind: "bars" }]}
      height={150}
      yValue={count}
      xValue={(i) => bound(buckets[i]?.le ?? null)}
      xSplits={buckets.map((_, i) => i)}
      xRange={[-0.6, buckets.length - 0.4]}
      xSpace={40}
    />
  );
}

function Partitions({ coverage, status }: { coverage: Coverage; status: Status | null }) {
  const whole =
    coverage.from === null || coverage.to === null
      ? null
      : { from: Date.parse(coverage.from), to: Date.parse(coverage.to) };
  const lagOf = (one: CoveredPartition): string => {
    const told = status?.lag ?? [];
    const lag =
      told.find(({ topic, partition }) => (topic === one.topic || topic === one.stream) && partition === String(one.partition)) ?? null;
    return lag === null ? "–" : count(lag.records);
  };
  return (
    <table class="grid">
      <thead>
        <tr>
          <th scope="col">Partition</th>
          <th scope="col">State</th>
          <th scope="col" class="number">
            Behind
          </th>
          <th scope="col" class="wide-only">
            Watermark
          </th>
          <th scope="col" class="strip-column">
            Coverage
          </th>
        </tr>
      </thead>
      <tbody>
        {coverage.partitions.map((one) => (
          <tr key={`${one.topic} ${one.partition}`}>
            <td>
              <Name text={one.topic} /> <span class="dim">/ {one.partition}</span>
            </td>
            <td>
              <span class={`dot-word ${one.state}`}>{one.state}</span>
            </td>
            <td class="number">{lagOf(one)}</td>
            <td class="wide-only">{one.reach === null ? "–" : <Moment time={one.reach} />}</td>
            <td class="strip-column">
              <span class="tile-strip">
                <Strip covered={spansOf(one.intervals)} whole={whole} share={one.ratio} />
                <span class="share">{percent(one.ratio)}</span>
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Who reads what in this process. */
function Workers({ workers }: { workers: readonly Worker[] | null }) {
  if (workers === null) {
    return <p class="none">None in this process: another one detects, and tells who of its workers reads what.</p>;
  }
  return (
    <table class="grid workers">
      <thead>
        <tr>
          <th scope="col">Worker</th>
          <th scope="col">Partition</th>
          <th scope="col" class="number">
            Behind
          </th>
          <th scope="col">Watermark</th>
        </tr>
      </thead>
      {workers.map(({ worker, partitions }) => (
        <tbody key={worker}>
          {partitions.length === 0 && (
            <tr>
              <th scope="row">{worker}</th>
              <td colSpan={3} class="none">
                reads nothing now
              </td>
            </tr>
          )}
          {partitions.map((one, i) => (
            <tr key={`${one.topic} ${one.partition}`}>
              {i === 0 && (
                <th scope="rowgroup" rowSpan={partitions.length}>
                  {worker}
                </th>
              )}
              <td>
                <Name text={one.topic} /> <span class="dim">/ {one.partition}</span>
              </td>
              <td class="number">{one.lag === null ? "–" : count(one.lag)}</td>
              <td>{one.watermark === null ? "–" : <Moment time={one.watermark} />}</td>
            </tr>
          ))}
        </tbody>
      ))}
    </table>
  );
}

const causes: Record<string, string> = {
  midway: "reading began behind the beginning",
  restart: "a run ended, and its state could not be read again",
  retention: "the broker dropped records before they were read",
  truncated: "the broker had another log",
  sequence: "entries of the ledger were never seen",
  dead_letter: "malformed records",
  late: "records behind the watermark",
  evicted: "a rule had to forget",
};

function Losses({ coverage }: { coverage: Coverage }) {
  const losses = [
    ...coverage.partitions.flatMap((one) => one.losses.map((loss) => ({ where: `${one.topic} / ${one.partition}`, ...loss }))),
    ...coverage.rules.flatMap((one) => one.losses.map((loss) => ({ where: one.rule, ...loss }))),
  ].sort((a, b) => earlier(b.to, a.to));
  return losses.length === 0 ? (
    <p class="none">Nothing was lost: every record was read, in order, on time.</p>
  ) : (
    <ul class="lines">
      {losses.slice(0, 40).map((loss, i) => (
        <li key={i}>
          <span>
            <strong>
              <Name text={loss.where} />
            </strong>{" "}
            {causes[loss.cause] ?? loss.cause}
          </span>
          <small>
            <Moment time={loss.from} /> – <Moment time={loss.to} />
            {loss.records > 0 && `, ${plural(loss.records, "record")}`}
          </small>
        </li>
      ))}
    </ul>
  );
}

function Sinks({ sinks }: { sinks: readonly Sink[] }) {
  return sinks.length === 0 ? (
    <p class="none">No sink for alerts is configured.</p>
  ) : (
    <ul class="lines">
      {sinks.map((sink) => (
        <li key={sink.name}>
          <span>
            <i class={sink.failing_since === null ? "light good" : "light bad"} aria-hidden="true" />
            <strong>
              <Name text={sink.name} />
            </strong>{" "}
            <span class="dim">{sink.kind}</span>{" "}
            {sink.failing_since === null ? "" : `fails since ${ago(sink.failing_since).replace(" ago", "")}`}
          </span>
          <small>
            {sink.why !== null ? <Name text={sink.why} /> : (sink.last_success === null ? "not told anything yet" : `told ${ago(sink.last_success)}`)}
            {sink.waiting > 0 && `, ${count(sink.waiting)} waiting`}
          </small>
        </li>
      ))}
    </ul>
  );
}

const goodNews = /^(started|resumed|resumed-by-file|reloaded|input-back|lag-over|blind-over|outbox-moves|sink-works)$/;

function Journal({ rows }: { rows: readonly JournalRow[] }) {
  return rows.length === 0 ? (
    <p class="none">Nothing befell the monitor yet.</p>
  ) : (
    <ul class="lines">
      {rows.map((row) => (
        <li key={row.seq} class="journal">
          <Moment time={row.at} />
          <span>
            <i class={goodNews.test(row.what) ? "light good" : row.what === "stopped" ? "light" : "light bad"} aria-hidden="true" />
            <strong>{row.what.replaceAll("-", " ")}</strong> <Name text={row.about.length > 40 ? short(row.about) : row.about} />
            {row.cause !== "" && (
              <small>
                <Name text={row.cause} />
              </small>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Facts({ status }: { status: Status }) {
  const { events, memory, reload } = status;
  return (
    <dl class="pairs">
      <dt>version</dt>
      <dd>{status.version}</dd>
      {memory !== null && (
        <>
          <dt>engine memory</dt>
          <dd>
            {bytes(memory.state_bytes)}
            {memory.limit_bytes !== null && ` of ${bytes(memory.limit_bytes)}`}
            {memory.over_bytes > 0 && `, ${bytes(memory.over_bytes)} over`}
          </dd>
        </>
      )}
      {events !== null && (
        <>
          <dt>late</dt>
          <dd>{count(events.late)}</dd>
          <dt>duplicates</dt>
          <dd>{count(events.duplicates)}</dd>
        </>
      )}
      <dt>dead letters</dt>
      <dd>{count(status.dead_letters)}</dd>
      <dt>to be sent</dt>
      <dd>
        {count(status.outbox.pending)}
        {status.outbox.pending > 0 && `, the oldest for ${duration(status.outbox.oldest_seconds)}`}
      </dd>
      {reload !== null && (
        <>
          <dt>reload</dt>
          <dd>
            {reload.result} <Moment time={reload.time} /> <Name text={reload.reason} />
          </dd>
        </>
      )}
    </dl>
  );
}

function BaselineCard({ system }: { system: System | null }) {
  const rules = useStore(baseline);
  return (
    <Card title="Baseline" {...(rules === null ? {} : { note: `${rules.name} ${rules.version}` })}>
      {rules !== null && (
        <dl class="pairs">
          <dt>digest</dt>
          <dd>{rules.digest}</dd>
          <dt>rules</dt>
          <dd>{count(rules.rules.length)}</dd>
        </dl>
      )}
      {system !== null && (
        <ul class="lines">
          {system.baselines.map((one, i) => (
            <li key={i}>
              <span>
                <strong>{one.what}</strong> <code>{short(one.digest)}</code> {one.text !== null && <Name text={one.text} />}
              </span>
              <small>
                <Moment time={one.at} />
              </small>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Histograms({ system, trouble }: { system: System | null; trouble: unknown }) {
  const [name, setName] = useState("");
  const all = system?.histograms ?? [];
  const busiest = all.find((one) => one.name.includes("detection")) ?? all[0];
  const chosen = all.find((one) => one.name === name) ?? busiest;
  return (
    <Card title="How long it took, and how often" class="wide">
      {all.length > 1 && (
        <select aria-label="Of what" value={chosen?.name} onChange={(event) => setName(event.currentTarget.value)}>
          {all.map((one) => (
            <option key={one.name} value={one.name}>
              {one.name.replace(/^invigil_|_seconds$/g, "").replaceAll("_", " ")}
            </option>
          ))}
        </select>
      )}
      <Lacking value={system} trouble={trouble} what="latency histograms" />
      {chosen !== undefined && <Latency histogram={chosen} />}
    </Card>
  );
}

export function SystemScreen(_: { place: Place }) {
  useTitle("System");
  const status = useStore(statusNow);
  const coverage = useAsked(useCallback(() => fetchCoverage("", ""), []), 5_000);
  const system = useAsked(useCallback(fetchSystem, []), 5_000);
  const journal = useAsked(useCallback(fetchJournal, []), 5_000);
  return (
    <div class="overview">
      <Figures />
      {status?.workers === 0 && (
        <p class="notice" role="note">
          This process only shows. What is read, how fast and by whom are another process's figures, not known here; its
          own <code>/metrics</code> has them.
        </p>
      )}
      <div class="cards" role="group" aria-label="System" tabIndex={0}>
        <Course title="Events a second" colour="--accent" value={(p) => (p.rate === null ? null : Math.round(p.rate))} say={wholeNumber} />
        <Course title="Watermark behind" colour="--low" value={(p) => p.delay} say={duration} />
        <Course title="Records unread" colour="--medium" value={(p) => p.behind} say={wholeNumber} />
        <Histograms system={system.value} trouble={system.trouble} />
        <Card title="The process">{status !== null && <Facts status={status} />}</Card>
        <Card title="Partitions" class="wide">
          <Lacking value={coverage.value} trouble={coverage.trouble} what="coverage" />
          {coverage.value !== null && <Partitions coverage={coverage.value} status={status} />}
        </Card>
        <Card title="Workers">
          {system.value === null ? (
            system.trouble !== null && <Trouble trouble={system.trouble} what="the workers" />
          ) : (
            <Workers workers={system.value.workers} />
          )}
        </Card>
        <Card title="Sinks">
          {system.value === null ? (
            system.trouble !== null && <Trouble trouble={system.trouble} what="the sinks" />
          ) : (
            <Sinks sinks={system.value.sinks} />
          )}
        </Card>
        <Card title="Journal" class="wide">
          {journal.value === null ? (
            journal.trouble !== null && <Trouble trouble={journal.trouble} what="the journal" />
          ) : (
            <Journal rows={journal.value.items} />
          )}
        </Card>
        <BaselineCard system={system.value} />
        <Card title="Lost" class="wide">{coverage.value !== null && <Losses coverage={coverage.value} />}</Card>
      </div>
    </div>
  );
}
