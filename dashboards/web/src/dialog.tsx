// SPDX-License-Identifier: Apache-2.0
// A question in front of the page: the browser keeps the keyboard in it, and Escape takes it away.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { messageOf } from "./api";

export interface Question {
  title: string;
  /** The word on the button that does it, and whether that cannot be taken back. */
  verb: string;
  grave?: boolean;
  /** There is nothing to cancel: what it shows is lost when it goes. */
  only?: boolean;
  close: () => void;
  children: ComponentChildren;
}

/** When send is done the question goes, unless it says that it stays; what it throws is said. */
export function Dialog(props: Question & { send: () => Promise<void | "stays"> }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const gone = useRef(false);
  // Closed by the browser's own way before it is taken out: so the focus goes back to where it came from.
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => {
      gone.current = true;
      shown?.close();
    };
  }, []);
  const send = async (): Promise<void> => {
    setBusy(true);
    setTrouble(null);
    try {
      if ((await props.send()) !== "stays") {
        props.close();
      }
    } catch (error) {
      setTrouble(messageOf(error));
      setBusy(false);
    }
  };
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="dialog-title" onClose={() => gone.current || props.close()} onCancel={(event) => props.only === true && event.preventDefault()}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <h2 id="dialog-title">{props.title}</h2>
        {props.children}
        {trouble !== null && (
          <p class="said" role="alert">
            {trouble}
          </p>
        )}
        <p class="verbs">
          <button type="submit" class={props.grave === true ? "button grave" : "button main"} disabled={busy}>
            {props.verb}
          </button>
          {props.only !== true && (
            <button type="button" class="quiet" onClick={props.close}>
              Cancel
            </button>
          )}
        </p>
      </form>
    </dialog>
  );
}
