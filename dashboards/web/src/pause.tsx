// SPDX-License-Identifier: Apache-2.0
// Pausing all of remediation, and letting it go on.
import { useEffect, useRef, useState } from "preact/hooks";
import { messageOf, setRespond } from "./api";
import { respond, takeRespond } from "./live";
import { useKeptFocus } from "./page";
import { may } from "./session";
import { useStore } from "./store";

export function PauseSwitch() {
  const now = useStore(respond);
  const [asked, setAsked] = useState(false);
  const [why, setWhy] = useState("");
  const [trouble, setTrouble] = useState<string | null>(null);
  const box = useRef<HTMLDivElement>(null);
  useKeptFocus(box, "button");
  useEffect(() => void (asked && box.current?.querySelector("input")?.focus()), [asked]);
  if (now === null || !may("respond")) {
    return null;
  }
  const send = (paused: boolean): void => {
    setRespond(paused, why).then(
      (told) => {
        takeRespond(told);
        setAsked(false);
        setWhy("");
        setTrouble(null);
      },
      (error: unknown) => setTrouble(messageOf(error)),
    );
  };
  return (
    <div class={asked ? "pause asked" : "pause"} ref={box}>
      {asked ? (
        <form
          class="ask"
          onSubmit={(event) => {
            event.preventDefault();
            send(!now.paused);
          }}
          onKeyDown={(event) => {
            if (event.key === "Escape") {
              event.preventDefault();
              setAsked(false);
            }
          }}
        >
          <input aria-label="Why" placeholder="Why" required maxLength={500} value={why} onInput={(event) => setWhy(event.currentTarget.value)} />
          <button type="submit" class={now.paused ? "button main" : "button grave"}>
            {now.paused ? "Go on" : "Pause all remediation"}
          </button>
          <button type="button" class="quiet" onClick={() => setAsked(false)}>
            Cancel
          </button>
          {trouble !== null && (
            <p class="said" role="alert">
              {trouble}
            </p>
          )}
        </form>
      ) : (
        <button type="button" class={now.paused ? "button main" : "button grave"} onClick={() => setAsked(true)}>
          {now.paused ? "Let it go on" : "Pause all"}
        </button>
      )}
    </div>
  );
}
