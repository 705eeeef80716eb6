// SPDX-License-Identifier: Apache-2.0
import { render } from "preact";
import { useCallback, useEffect, useReducer, useRef, useState } from "preact/hooks";
import "./style.css";
import { Actions } from "./actions";
import { readAddress, writeAddress } from "./address";
import type { Filter } from "./api";
import { fetchActions, fetchBaseline, fetchFindings, fetchStatus } from "./api";
import { Detail } from "./detail";
import { Filters } from "./filters";
import { Findings } from "./findings";
import { Figures, Header } from "./header";
import { Posture } from "./posture";
import { initial, reduce } from "./state";
import { listen } from "./stream";

const start = readAddress();

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function Page() {
  const [state, change] = useReducer(reduce, { ...initial, filter: start.filter });
  const [chosen, setChosen] = useState<string | null>(start.chosen);
  const [side, setSide] = useState<"findings" | "actions-too">("findings"); // what a narrow page shows
  const scroller = useRef<HTMLDivElement>(null);
  const chosenNow = useRef(chosen);
  const asked = useRef(0);
  chosenNow.current = chosen;

  // Somebody reads: a finding is open, the list is scrolled, or the pointer or the keyboard is on it.
  const reading = useCallback((): boolean => {
    const list = scroller.current;
    return (
      chosenNow.current !== null ||
      (list !== null &&
        (list.scrollTop > 4 ||
          list.contains(document.activeElement) ||
          list.matches(":hover") ||
          (window.scrollY > 4 && list.getBoundingClientRect().top < 0)))
    );
  }, []);

  const load = useCallback(async (filter: Filter): Promise<string | null> => {
    const number = ++asked.current;
    try {
      const page = await fetchFindings(filter, "");
      if (number === asked.current) {
        change({ kind: "page", page, more: false });
      }
      return page.position;
    } catch (error) {
      change({ kind: "trouble", text: messageOf(error) });
      return null;
    }
  }, []);

  useEffect(() => {
    let stop: (() => void) | null = null;
    let ended = false;
    let retry = 0;
    const begin = async (): Promise<void> => {
      const position = await load(start.filter);
      if (ended) {
        return;
      }
      if (position === null) {
        change({ kind: "connection", connection: "lost" });
        retry = window.setTimeout(() => void begin(), 2_000);
        return;
      }
      const baseline = (): void => {
        fetchBaseline().then((value) => change({ kind: "baseline", baseline: value }), () => undefined);
      };
      let digest = "";
      stop = listen(position, {
        onFinding: (finding) => change({ kind: "finding", finding, reading: reading() }),
        onAction: (execution) => change({ kind: "action", execution }),
        onConnection: (connection) => change({ kind: "connection", connection }),
        onStatus: (status) => {
          change({ kind: "status", status });
          if (status.baseline !== digest) {
            digest = status.baseline;
            baseline();
          }
        },
      });
      fetchStatus().then((status) => change({ kind: "status", status }), () => undefined);
      fetchActions().then((page) => change({ kind: "actions", items: page.items }), () => undefined);
      baseline();
    };
    void begin();
    return () => {
      ended = true;
      window.clearTimeout(retry);
      stop?.();
    };
  }, [load, reading]);

  const open = useCallback((uid: string) => setChosen(uid), []);
  const close = useCallback(() => {
    const uid = chosenNow.current;
    setChosen(null);
    scroller.current?.querySelector<HTMLElement>(`button[data-uid="${uid ?? ""}"]`)?.focus();
  }, []);
  const showFresh = useCallback(() => {
    change({ kind: "show-fresh" });
    scroller.current?.scrollTo({ top: 0 });
  }, []);
  const setFilter = useCallback(
    (filter: Filter) => {
      change({ kind: "filter", filter });
      void load(filter);
    },
    [load],
  );
  const loadMore = useCallback(async () => {
    try {
      change({ kind: "page", page: await fetchFindings(state.filter, state.next ?? ""), more: true });
    } catch (error) {
      change({ kind: "trouble", text: messageOf(error) });
    }
  }, [state.filter, state.next]);

  useEffect(() => writeAddress(state.filter, chosen), [state.filter, chosen]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const typing = event.target instanceof HTMLSelectElement || event.target instanceof HTMLInputElement;
      if (event.key === "Escape" && chosenNow.current !== null) {
        close();
      } else if (event.key === "n" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
        showFresh();
      }
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [close, showFresh]);

  const { filter, baseline, status } = state;
  const filtered = filter.severities.length > 0 || filter.rule !== "" || filter.criterion !== "";
  const row = chosen === null ? undefined : [...state.rows, ...state.fresh].find((one) => one.uid === chosen);
  return (
    <div class={chosen === null ? "frame" : "frame open"}>
      <Header connection={state.connection} status={status} baseline={baseline} />
      <main>
        <Figures status={status} rates={state.rates} />
        <Posture
          baseline={baseline}
          status={status}
          chosen={filter.criterion}
          choose={(criterion) => setFilter({ ...filter, criterion })}
        />
        <div class={`work ${side}`}>
          <div class="switch" role="group" aria-label="Show">
            <button type="button" aria-pressed={side === "findings"} onClick={() => setSide("findings")}>
              Findings
            </button>
            <button type="button" aria-pressed={side === "actions-too"} onClick={() => setSide("actions-too")}>
              Remediation
            </button>
          </div>
          <section class="found" aria-labelledby="findings-title">
            <div class="found-head">
              <h2 id="findings-title">Findings</h2>
              <Filters
                filter={filter}
                baseline={baseline}
                shown={state.rows.length}
                more={state.next !== null}
                change={setFilter}
              />
            </div>
            <Findings
              rows={state.rows}
              fresh={state.fresh.length}
              arrived={state.arrived}
              chosen={chosen}
              next={state.next !== null}
              loading={state.loading}
              trouble={state.trouble}
              filtered={filtered}
              scroller={scroller}
              open={open}
              showFresh={showFresh}
              loadMore={() => void loadMore()}
            />
          </section>
          {chosen === null ? (
            <Actions actions={state.actions} open={open} />
          ) : (
            <Detail uid={chosen} row={row} baseline={baseline} actions={state.actions} close={close} />
          )}
        </div>
      </main>
    </div>
  );
}

render(<Page />, document.getElementById("page")!);
