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
  // What was meant when the form was opened: somebody else may pause meanwhile, and his word is not to be turned round.
  const [meant, setMeant] = useState<boolean | null>(null);
  const [why, setWhy] = useState("");
  const [trouble, setTrouble] = useState<string | null>(null);
  const box = useRef<HTMLDivElement>(null);
  useKeptFocus(box, "button");
  useEffect(() => void (meant !== null && box.current?.querySelector("input")?.focus()), [meant]);
  if (now === null || !may("respond")) {
    return null;
  }
  const send = (paused: boolean): void => {
    setRespond(paused, why).then(
      (told) => {
        takeRespond(told);
        setMeant(null);
        setWhy("");
        setTrouble(null);
      },
      (error: unknown) => setTrouble(messageOf(error)),
    );
  };
  return (
    <div class={meant !== null ? "pause asked" : "pause"} ref={box}>
      {meant !== null ? (
        <form
          class="ask"
          onSubmit={(event) => {
            event.preventDefault();
            send(meant);
          }}
          onKeyDown={(event) => {
            if (event.key === "Escape") {
              event.preventDefault();
              setMeant(null);
            }
          }}
        >
          <input aria-label="Why" placeholder="Why" required maxLength={500} value={why} onInput={(event) => setWhy(event.currentTarget.value)} />
          <button type="submit" class={meant ? "button grave" : "button main"}>
            {meant ? "Pause all remediation" : "Go on"}
          </button>
          <button type="button" class="quiet" onClick={() => setMeant(null)}>
            Cancel
          </button>
          {trouble !== null && (
            <p class="said" role="alert">
              {trouble}
            </p>
          )}
        </form>
      ) : (
        <button type="button" class={now.paused ? "button main" : "button grave"} onClick={() => setMeant(!now.paused)}>
          {now.paused ? "Let it go on" : "Pause all"}
        </button>
      )}
    </div>
  );
}
