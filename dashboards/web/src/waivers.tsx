// SPDX-License-Identifier: Apache-2.0
// What was suppressed on the console, by whom, why and until when.
import { useCallback, useState } from "preact/hooks";
import { hrefOf } from "./address";
import type { Filter, Waiver } from "./api";
import { endWaiver, fetchWaivers } from "./api";
import { Dialog } from "./dialog";
import { count, plural, when } from "./format";
import { fetchFirst, useGrowing } from "./growing";
import { Bar, ViewSwitch } from "./list";
import { Empty, Name, Subject, Written } from "./marks";
import { useHeld, useReading } from "./reading";
import { may } from "./session";
import { Lacking } from "./trouble";

const firstMax = 100;
const lookMs = 10_000;
const keyOf = (waiver: Waiver): string => waiver.id;
const none: Waiver[] = [];

function End({ waiver }: { waiver: Waiver }) {
  const words =
    waiver.ended !== null && waiver.ended_by !== null ? (
      <>
        ended {when(waiver.ended)} by <Name text={waiver.ended_by} />
      </>
    ) : Date.parse(waiver.until) <= Date.now() ? (
      "over"
    ) : (
      "in force"
    );
  return (
    <>
      <time dateTime={waiver.until} title={waiver.until}>
        {when(waiver.until)}
      </time>
      <small class="subject">{words}</small>
    </>
  );
}

function Row({ waiver, ask }: { waiver: Waiver; ask: (waiver: Waiver) => void }) {
  const over = waiver.ended !== null || Date.parse(waiver.until) <= Date.now();
  return (
    <tr>
      <td>
        <a href={hrefOf("findings", [waiver.finding])}>{waiver.rule}</a>
        <small class="subject">
          <Subject tenant={waiver.tenant} agent={waiver.agent} />
        </small>
      </td>
      <td>
        <Name text={waiver.reason} />{" "}
        <small>
          by <Name text={waiver.author} />
        </small>
        {waiver.yaml !== null && (
          <details>
            <summary>For the baseline's file</summary>
            <pre tabIndex={0}>
              <Written text={waiver.yaml} />
            </pre>
          </details>
        )}
      </td>
      <td>
        <End waiver={waiver} />
      </td>
      <td class="number">
        {may("triage") && (
          <button type="button" class="button" disabled={over} onClick={() => ask(waiver)}>
            End
          </button>
        )}
      </td>
    </tr>
  );
}

/** What follows shows as new again; who ended it stays on record. */
function EndQuestion({ waiver, done, close }: { waiver: Waiver; done: () => void; close: () => void }) {
  return (
    <Dialog title="End this waiver?" verb="End it" grave close={close} send={() => endWaiver(waiver.id).then(done)}>
      <p>
        What {waiver.rule} finds of <Subject tenant={waiver.tenant} agent={waiver.agent} /> from now on comes in as new. What it
        suppressed stays so.
      </p>
      <p class="none">
        <Name text={waiver.reason} />, by <Name text={waiver.author} />
      </p>
    </Dialog>
  );
}

export function ListOfWaivers({ filter }: { filter: Filter }) {
  const ask = useCallback((wanted: number) => fetchFirst(fetchWaivers, keyOf, wanted), []);
  const { value, grown, trouble, again, more } = useGrowing(ask, firstMax, lookMs);
  const [asked, setAsked] = useState<Waiver | null>(null);
  const { scroller, reading } = useReading(null);
  const { rows, waiting, show } = useHeld(value?.items ?? none, keyOf, value === null ? "" : "waivers", grown, reading);
  return (
    <section class="found" aria-labelledby="waivers-title">
      <div class="found-head">
        <h2 id="waivers-title">Waivers</h2>
        <ViewSwitch view="waivers" filter={filter} />
      </div>
      <Bar
        said={rows.length === 0 ? "" : `${count(rows.length)}${more === null ? "" : "+"} shown, the newest first`}
        pill={waiting === 0 ? null : `${plural(waiting, "row")} would move`}
        show={show}
      />
      <div class="scroller" ref={scroller} role="group" aria-labelledby="waivers-title" tabIndex={0}>
        <Lacking value={value} trouble={trouble} what="waivers" />
        {value !== null && rows.length === 0 && (
          <Empty title="Nothing is suppressed">A waiver is made where a finding is suppressed.</Empty>
        )}
        {rows.length > 0 && (
          <table class="grid">
            <thead>
              <tr>
                <th scope="col">What</th>
                <th scope="col">Why</th>
                <th scope="col">Until</th>
                <th scope="col">
                  <span class="visually-hidden">To do</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((waiver) => (
                <Row key={waiver.id} waiver={waiver} ask={setAsked} />
              ))}
            </tbody>
          </table>
        )}
        {more !== null && (
          <button type="button" class="more" onClick={more}>
            Show more waivers
          </button>
        )}
      </div>
      {asked !== null && <EndQuestion waiver={asked} done={again} close={() => setAsked(null)} />}
    </section>
  );
}
