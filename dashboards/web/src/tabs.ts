// SPDX-License-Identifier: Apache-2.0
// One live stream for all tabs of a browser, which opens no more than six connections to a server: one tab has it and
// tells the others. When that one closes another goes on, from as far back as any of them was told last. Where there are no locks (plain
// HTTP to another machine) each tab has a stream of its own, but only while it is looked at.
import type { Connection, Word } from "./stream";
import { listen, watchSilence } from "./stream";

const name = "invigil-stream-2"; // another number where what tabs say to each other changes: an upgrade finds old ones open
const silenceMs = 20_000; // what a tab that has the stream is never silent for, unless it is held up
const lookMs = 2_000;

type Said =
  | Word
  | { kind: "hello" }
  | { kind: "leads"; id: string } // the one that has the stream now, and from where
  | { kind: "behind"; id: string }; // what the one that answers was told last

export interface Share {
  /** Where this tab's knowledge ends, which it asked for after it began to hear. */
  from(position: string): void;
  end(): void;
}

function alone(hear: (word: Word) => void): Share {
  let last: string | null = null;
  let stop: (() => void) | null = null;
  const turn = (): void => {
    if (last !== null && !document.hidden) {
      stop ??= listen(last, (word) => {
        last = word.kind === "connection" || word.id === "" ? last : word.id;
        hear(word);
      });
    } else {
      stop?.();
      stop = null;
    }
  };
  document.addEventListener("visibilitychange", turn);
  return {
    from: (position) => {
      last = position;
      turn();
    },
    end: () => {
      document.removeEventListener("visibilitychange", turn);
      stop?.();
    },
  };
}

/** Of two places in the stream the one from which nothing is missed that either would bring. */
function least(one: string, other: string): string {
  const parts = other.split("-").map(BigInt);
  return one
    .split("-")
    .map(BigInt)
    .map((mine, i) => (parts[i]! < mine ? parts[i]! : mine))
    .join("-");
}

function together(locks: LockManager, hear: (word: Word) => void): Share {
  const channel = new BroadcastChannel(name);
  let last: string | null = null;
  let stream: { backTo: (position: string) => void; yield: () => void } | null = null; // of the tab that has it
  let now: Connection = "connecting";
  let since: number | null = null;
  let waiting = new AbortController();

  const say = (what: Said): void => channel.postMessage(what);
  const take = (word: Word): void => {
    watch.heard();
    if (word.kind === "connection") {
      ({ now, since } = word);
    } else if (word.id !== "") {
      last = word.id;
    }
    hear(word);
  };
  channel.onmessage = ({ data }: MessageEvent<Said>): void => {
    switch (data.kind) {
      case "hello":
        return stream === null ? undefined : say({ kind: "connection", now, since });
      case "leads":
        return last === null || last === data.id ? undefined : say({ kind: "behind", id: last });
      case "behind":
        return stream?.backTo(data.id);
      default:
        return take(data);
    }
  };
  const lead = (position: string): Promise<void> =>
    new Promise((resolve) => {
      const tell = (word: Word): void => {
        say(word);
        take(word);
      };
      let begins = position;
      let stop = listen(begins, tell);
      stream = {
        backTo: (to) => {
          const before = begins;
          begins = least(begins, to);
          if (begins !== before) {
            stop();
            stop = listen(begins, tell);
          }
        },
        yield: () => {
          stream = null;
          stop();
          resolve();
        },
      };
      say({ kind: "leads", id: position });
    });
  /** steal: from a tab that the browser holds up, and which begins to wait anew. */
  const queue = (steal: boolean): void => {
    waiting.abort();
    const mine = (waiting = new AbortController());
    const how: LockOptions = steal ? { steal } : { signal: mine.signal };
    locks
      .request(name, how, () => (mine.signal.aborted ? undefined : lead(last!)))
      .catch(() => {
        if (!mine.signal.aborted) {
          stream?.yield();
          queue(false);
        }
      });
  };
  const watch = watchSilence(silenceMs, lookMs, () => {
    if (last !== null && stream === null && !document.hidden) {
      watch.heard();
      queue(true);
    }
  });
  return {
    from: (position) => {
      last ??= position;
      watch.heard();
      say({ kind: "hello" });
      queue(false);
    },
    end: () => {
      watch.end();
      waiting.abort();
      stream?.yield();
      channel.close();
    },
  };
}

/** From the call on what the other tabs are told is heard, too. */
export const share = (hear: (word: Word) => void): Share =>
  "locks" in navigator && navigator.locks !== undefined ? together(navigator.locks, hear) : alone(hear);
