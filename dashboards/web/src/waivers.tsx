// SPDX-License-Identifier: Apache-2.0
// What was suppressed on the console, by whom, why and until when.
import { useCallback, useState } from "preact/hooks";
import { hrefOf } from "./address";
import type { Filter, Waiver } from "./api";
import { endWaiver, fetchWaivers, messageOf } from "./api";
import { when } from "./format";
import { ViewSwitch } from "./list";
import { Empty, Name, Subject, Written } from "./marks";
import { may } from "./session";
import { Lacking, useAsked } from "./trouble";

function Row({ waiver, done }: { waiver: Waiver; done: () => void }) {
  const [trouble, setTrouble] = useState<string | null>(null);
  const over = waiver.ended !== null || Date.parse(waiver.until) <= Date.now();
  const end = (): void => {
    endWaiver(waiver.id).then(done, (error: unknown) => setTrouble(messageOf(error)));
  };
  return (
    <tr>
      <td>
        <a href={hrefOf("findings", [waiver.finding])}>{waiver.rule}</a>
        <small class="subject"><Subject tenant={waiver.tenant} agent={waiver.agent} /></small>
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
        <time dateTime={waiver.until} title={waiver.until}>
          {when(waiver.until)}
        </time>
        {over && (
          <small class="subject">
            {waiver.ended !== null && waiver.ended_by !== null ? (
              <>
                ended {when(waiver.ended)} by <Name text={waiver.ended_by} />
              </>
            ) : (
              "over"
            )}
          </small>
        )}
      </td>
      <td class="number">
        {may("triage") && !over && (
          <button type="button" class="button" onClick={end}>
            End
          </button>
        )}
        {trouble !== null && (
          <p class="said" role="alert">
            {trouble}
          </p>
        )}
      </td>
    </tr>
  );
}

export function ListOfWaivers({ filter }: { filter: Filter }) {
  const { value, trouble, again } = useAsked(useCallback(fetchWaivers, []), 10_000);
  return (
    <section class="found" aria-labelledby="waivers-title">
      <div class="found-head">
        <h2 id="waivers-title">Waivers</h2>
        <ViewSwitch view="waivers" filter={filter} />
      </div>
      <div class="scroller" role="group" aria-labelledby="waivers-title" tabIndex={0}>
        <Lacking value={value} trouble={trouble} what="waivers" />
        {value !== null && value.items.length === 0 && (
          <Empty title="Nothing is suppressed">A waiver is made where a finding is suppressed.</Empty>
        )}
        {value !== null && value.items.length > 0 && (
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
              {value.items.map((waiver) => (
                <Row key={waiver.id} waiver={waiver} done={again} />
              ))}
            </tbody>
          </table>
        )}
      </div>
    </section>
  );
}
