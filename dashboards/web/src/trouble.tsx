// SPDX-License-Identifier: Apache-2.0
// What an answer that did not come looks like.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { messageOf, notOffered } from "./api";
import { useBack } from "./live";
import { Empty } from "./marks";

/** absent: what it means that there is no such thing; else the server does not know of the kind. */
export function Trouble({ trouble, what, absent }: { trouble: unknown; what: string; absent?: string | undefined }) {
  return notOffered(trouble) && absent !== undefined ? (
    <Empty title={absent}>It may be on its way: look again in a moment.</Empty>
  ) : notOffered(trouble) ? (
    <Empty title={`This server does not offer ${what}`}>It answers 404: it is older than this page, or runs without.</Empty>
  ) : (
    <Empty title={`${what.charAt(0).toUpperCase()}${what.slice(1)} cannot be shown`} trouble>
      {messageOf(trouble)}
    </Empty>
  );
}

/** Of what is asked for again and again: nothing has come yet, or what is shown is not the newest. */
export function Lacking({ value, trouble, what, absent }: { value: unknown; trouble: unknown; what: string; absent?: string | undefined }) {
  if (trouble === null) {
    return null;
  }
  return value === null ? (
    <Trouble trouble={trouble} what={what} absent={absent} />
  ) : (
    <p class="notice" role="status">
      Not up to date: {messageOf(trouble)}
    </p>
  );
}

export interface Asked<T> {
  value: T | null;
  trouble: unknown;
  again: () => void;
}

/** Asks when the part of the page is shown, when what is asked for changes, and every so often if told so. */
export function useAsked<T>(ask: () => Promise<T>, everyMs = 0): Asked<T> {
  const [state, setState] = useState<{ value: T | null; trouble: unknown; ask: unknown }>({ value: null, trouble: null, ask });
  const number = useRef(0);
  const again = useCallback(() => {
    const mine = ++number.current;
    ask().then(
      (value) => mine === number.current && setState({ value, trouble: null, ask }),
      // The answer to another question is none to this one.
      (trouble: unknown) =>
        mine === number.current && setState((old) => ({ value: old.ask === ask ? old.value : null, trouble, ask })),
    );
  }, [ask]);
  useEffect(() => {
    again();
    const timer = everyMs > 0 ? window.setInterval(() => document.hidden || again(), everyMs) : 0;
    return () => {
      number.current++;
      window.clearInterval(timer);
    };
  }, [again, everyMs]);
  useBack(again);
  return { value: state.value, trouble: state.trouble, again };
}
