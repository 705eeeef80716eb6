// SPDX-License-Identifier: Apache-2.0
// Pausing all of remediation, and letting it go on.
import { useState } from "preact/hooks";
import { messageOf, setRespond } from "./api";
import { respond, takeRespond } from "./live";
import { may } from "./session";
import { useStore } from "./store";

export function PauseSwitch() {
  const now = useStore(respond);
  const [asked, setAsked] = useState(false);
  const [why, setWhy] = useState("");
  const [trouble, setTrouble] = useState<string | null>(null);
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
  if (!asked) {
    return (
      <button type="button" class={now.paused ? "button main" : "button grave"} onClick={() => setAsked(true)}>
        {now.paused ? "Let it go on" : "Pause all"}
      </button>
    );
  }
  return (
    <form
      class="ask"
      onSubmit={(event) => {
        event.preventDefault();
        send(!now.paused);
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
  );
}
