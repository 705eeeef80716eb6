// SPDX-License-Identifier: Apache-2.0
// How large the page is: as it is meant at a desk, larger on a larger screen, and on a wall as large as what fits at
// 1280 pixels, to be read from some metres.
import { store } from "./store";

const key = "wall";
const meantAt = 1280;
const steps = [
  [3840, 2.25],
  [2560, 1.5],
  [1920, 1.25],
] as const;

export const wall = store(localStorage.getItem(key) === "on");
/** Whether there is room for more than is meant at a desk. */
export const canGrow = (width: number): boolean => width >= meantAt * 1.2;

function scaleOf(width: number): number {
  return wall.get() ? Math.max(1, width / meantAt) : (steps.find(([from]) => width >= from)?.[1] ?? 1);
}

export const scale = store(1);

function fit(): void {
  const now = scaleOf(window.innerWidth);
  document.documentElement.style.setProperty("--scale", String(now));
  document.documentElement.toggleAttribute("data-wall", wall.get());
  scale.set(now);
}

export function setWall(on: boolean): void {
  localStorage.setItem(key, on ? "on" : "off");
  wall.set(on);
}

/** Before anything is drawn. A screen that has no keyboard is told by its address: /?wall or /?wall=off. */
export function fitFirst(): void {
  const told = new URLSearchParams(location.search).get(key);
  if (told !== null) {
    setWall(told !== "off");
    history.replaceState(null, "", location.pathname + location.hash); // it is kept, and can be changed
  }
  fit();
  wall.watch(fit);
  window.addEventListener("resize", fit);
}
