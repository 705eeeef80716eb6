// SPDX-License-Identifier: Apache-2.0
// A value that several parts of the page look at.
import { useEffect, useState } from "preact/hooks";

export interface Store<T> {
  get(): T;
  set(value: T): void;
  watch(seen: () => void): () => void;
}

export function store<T>(first: T): Store<T> {
  let now = first;
  const watchers = new Set<() => void>();
  return {
    get: () => now,
    set: (value) => {
      if (value !== now) {
        now = value;
        for (const seen of [...watchers]) {
          seen();
        }
      }
    },
    watch: (seen) => {
      watchers.add(seen);
      return () => watchers.delete(seen);
    },
  };
}

export function useStore<T>(from: Store<T>): T {
  const [value, setValue] = useState(from.get());
  useEffect(() => {
    setValue(() => from.get());
    return from.watch(() => setValue(() => from.get()));
  }, [from]);
  return value;
}
