// SPDX-License-Identifier: Apache-2.0
// How long remediation took over a period: the sums of all of it, and half and worst of each hour or day in it.
import { useCallback, useRef } from "preact/hooks";
import type { Execution, Lengths, Remediation } from "./api";
import { fetchRemediation } from "./api";
import { Chart } from "./chart";
import { Period } from "./period";
import { count, duration, when } from "./format";
import { useBack, useLiveExecutions, useSettled } from "./live";
import { Lacking, useAsked } from "./trouble";

interface Slice {
  from: number; // milliseconds
  to: number;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const steps = [5 * minute, hour, day, 7 * day, 30 * day] as const;
const slicesMax = 32; // each is asked for by itself
const stepWords: Record<number, string> = { [5 * minute]: "five minutes", [hour]: "hour", [day]: "day", [7 * day]: "week", [30 * day]: "thirty days" };

const stepOf = ({ from, to }: Slice): number =>
  steps.find((step) => (to - from) / step <= slicesMax - 2) ?? Math.ceil((to - from) / day / (slicesMax - 2)) * day;

/** Where the clock of who looks strikes next: days have their midnight, whatever their length. */
function stroke(at: number, step: number): number {
  const date = new Date(at);
  if (step >= day) {
    date.setHours(0, 0, 0, 0);
    date.setDate(date.getDate() + step / day);
  } else {
    const zone = date.getTimezoneOffset() * minute; // not by the clock's hands: an hour of autumn comes twice
    return Math.floor((at - zone) / step + 1) * step + zone;
  }
  return date.getTime();
}

function slicesOf(whole: Slice): Slice[] {
  const step = stepOf(whole);
  const slices: Slice[] = [];
  for (let from = whole.from; from < whole.to; ) {
    const to = Math.min(whole.to, stroke(from, step));
    slices.push({ from, to });
    from = to;
  }
  return slices;
}

interface Course {
  whole: Remediation;
  slices: readonly (Slice & { contain: Lengths })[];
}

const iso = (at: number): string => new Date(at).toISOString();
const settleMs = 1_500;
const lookMs = 60_000;

type Told = Slice & { answer: Promise<Lengths> };
const keyOf = ({ from, to }: Slice): string => `${from} ${to}`;
const askFor = ({ from, to }: Slice): Promise<Lengths> => fetchRemediation(iso(from), iso(to)).then((one) => one.times.contain);

/** Only what can have changed is asked for again: a slice in which a run was planned that the stream tells of. */
function useCourse(from: string, to: string) {
  const known = useRef(new Map<string, Told>());
  const forget = useCallback((concerns: (slice: Slice) => boolean) => {
    known.current = new Map([...known.current].filter(([, slice]) => !concerns(slice)));
  }, []);
  useBack(useCallback(() => forget(() => true), [forget]));
  const ask = useCallback(async (): Promise<Course> => {
    const whole = await fetchRemediation(from, to);
    const slices = slicesOf({ from: Date.parse(whole.from), to: Date.parse(whole.to) });
    const told = slices.map((slice) => known.current.get(keyOf(slice)) ?? { ...slice, answer: askFor(slice) });
    known.current = new Map(told.map((slice) => [keyOf(slice), slice]));
    try {
      return { whole, slices: await Promise.all(told.map(async (slice) => ({ ...slice, contain: await slice.answer }))) };
    } catch (trouble) {
      forget(() => true);
      throw trouble;
    }
  }, [from, to, forget]);
  const asked = useAsked(ask, lookMs);
  const { again } = asked;
  const soon = useSettled(again, settleMs);
  useLiveExecutions(
    useCallback(
      (told: readonly Execution[]) => {
        const planned = told.map((one) => (one.planned === null ? NaN : Date.parse(one.planned)));
        forget((slice) => planned.some((at) => !(at < slice.from || at >= slice.to)));
        soon();
      },
      [forget, soon],
    ),
  );
  return asked;
}

const said = (seconds: number | null): string => (seconds === null ? "–" : duration(Math.max(0, seconds)));

const kinds = [
  ["detect", "To detect", "from the event to the plan"],
  ["act", "To act", "from the plan to the first call"],
  ["contain", "To contain", "from the event to the evidence that it worked"],
] as const;

function Sums({ whole }: { whole: Remediation }) {
  return (
    <table class="grid sums">
      <thead>
        <tr>
          <th scope="col">
            <span class="visually-hidden">Time</span>
          </th>
          <th scope="col" class="number">
            Half within
          </th>
          <th scope="col" class="number">
            9 of 10
          </th>
          <th scope="col" class="number">
            Worst
          </th>
          <th scope="col" class="number">
            Runs
          </th>
        </tr>
      </thead>
      <tbody>
        {kinds.map(([kind, word, meaning]) => {
          const lengths = whole.times[kind];
          return (
            <tr key={kind} class={kind}>
              <th scope="row" title={meaning}>
                {word}
              </th>
              <td class="number">{said(lengths.p50)}</td>
              <td class="number">{said(lengths.p90)}</td>
              <td class="number">{said(lengths.max)}</td>
              <td class="number">{count(lengths.count)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

const least = 0.001; // seconds: an axis of powers has no nothing
const ticks = [0.001, 0.01, 0.1, 1, 10, 60, 600, 3_600, 6 * 3_600, 86_400, 7 * 86_400, 30 * 86_400];

function Drawn({ slices, whole }: { slices: Course["slices"]; whole: Remediation }) {
  const some = slices.filter((slice) => slice.contain.count > 0);
  if (some.length === 0) {
    return <p class="none">No run that was planned in this period has shown yet that it worked.</p>;
  }
  const course = (of: (lengths: Lengths) => number | null): (number | null)[] =>
    slices.map(({ contain }) => (of(contain) === null ? null : Math.max(least, of(contain)!)));
  const worst = Math.max(least, ...some.map(({ contain }) => contain.max ?? 0));
  const best = Math.max(least, Math.min(...some.map(({ contain }) => contain.p50 ?? Infinity)));
  const word = stepWords[stepOf({ from: Date.parse(whole.from), to: Date.parse(whole.to) })] ?? "part";
  const told = some.map(
    ({ from, contain }) => `from ${when(iso(from))} half within ${said(contain.p50)}, the worst ${said(contain.max)}`,
  );
  return (
    <figure class="course-figure">
      <figcaption>
        <span class="key half">half within</span>
        <span class="key worst">the worst</span>
        <span class="none">of each {word}, by when they were planned</span>
      </figcaption>
      <Chart
        label={`Time to contain, each ${word}: ${told.join("; ")}`}
        x={slices.map(({ from, to }) => (from + to) / 2_000)}
        lines={[
          { name: "half within", values: course((one) => one.p50), colour: "--accent", kind: "course" },
          { name: "the worst", values: course((one) => one.max), colour: "--critical", kind: "dots" },
        ]}
        height={230}
        yValue={duration}
        ySplits={ticks}
        yRange={[[...ticks].reverse().find((tick) => tick < best) ?? least / 2, ticks.find((tick) => tick > worst) ?? worst * 2]}
        xRange={[Date.parse(whole.from) / 1_000, Date.parse(whole.to) / 1_000]}
        log
      />
    </figure>
  );
}

export function Containment(props: { from: string; to: string; choose: (from: string, to: string) => void }) {
  const { value, trouble } = useCourse(props.from, props.to);
  return (
    <aside class="pane" aria-labelledby="contain-title">
      <header>
        <h2 id="contain-title">Time to contain</h2>
        <Period from={props.from} to={props.to} unset="The last day" change={props.choose} />
      </header>
      <div class="scroller" role="group" aria-labelledby="contain-title" tabIndex={0}>
        <Lacking value={value} trouble={trouble} what="the times of remediation" />
        {value !== null && (
          <>
            <Sums whole={value.whole} />
            {!value.whole.whole && <p class="notice">Too many runs for one answer: these are the newest 100,000 of the period.</p>}
            <Drawn slices={value.slices} whole={value.whole} />
          </>
        )}
      </div>
    </aside>
  );
}
