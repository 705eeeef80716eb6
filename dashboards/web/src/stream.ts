// SPDX-License-Identifier: Apache-2.0
// The live stream: begins where the first page of findings ended, comes back by itself, and misses nothing.
import type { Execution, Finding, Status } from "./api";

export type Connection = "connecting" | "live" | "lost";

export interface Listener {
  onFinding(finding: Finding): void;
  onAction(execution: Execution): void;
  onStatus(status: Status): void;
  onConnection(connection: Connection): void;
}

const silenceMs = 12_000; // six pulses of the server
const retryMs = 2_000;

/** Answers how to end it. */
export function listen(position: string, listener: Listener): () => void {
  let last = position;
  let source: EventSource | null = null;
  let heard = Date.now();
  let retry = 0;

  const take = <T>(event: Event, use: (value: T) => void): void => {
    const message = event as MessageEvent<string>;
    heard = Date.now();
    if (message.lastEventId !== "") {
      last = message.lastEventId;
    }
    use(JSON.parse(message.data) as T);
  };

  const open = (): void => {
    source?.close();
    heard = Date.now();
    source = new EventSource(`/api/v1/stream?after=${encodeURIComponent(last)}`);
    source.addEventListener("open", () => {
      heard = Date.now();
      listener.onConnection("live");
    });
    source.addEventListener("finding", (event) => take<Finding>(event, (f) => listener.onFinding(f)));
    source.addEventListener("action", (event) => take<Execution>(event, (e) => listener.onAction(e)));
    source.addEventListener("status", (event) => take<Status>(event, (s) => listener.onStatus(s)));
    source.addEventListener("error", () => {
      listener.onConnection("lost");
      // A browser comes back by itself after a broken connection, not after an answer such as 503.
      if (source?.readyState === EventSource.CLOSED) {
        window.clearTimeout(retry);
        retry = window.setTimeout(open, retryMs);
      }
    });
  };

  // A connection can die without a word (a laptop that slept, a gateway that forgot it).
  const watch = window.setInterval(() => {
    if (source?.readyState === EventSource.OPEN && Date.now() - heard > silenceMs) {
      listener.onConnection("lost");
      open();
    }
  }, 1_000);

  open();
  return () => {
    window.clearInterval(watch);
    window.clearTimeout(retry);
    source?.close();
  };
}
