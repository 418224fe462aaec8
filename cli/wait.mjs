// Waiting for work that goes on in the worker: it is asked again and again, more slowly each time, within a bound.

import { setTimeout as sleep } from "node:timers/promises";

/** How long it is waited when nobody says. */
export const WAIT_DEFAULT = "10m";

const PAUSE_MS_MIN = 250;
const PAUSE_MS_MAX = 5_000;
const SLOWER = 1.5;

/**
 * Asks until it is finished or time is over.
 *
 * @template T
 * @param {T} first what is known already
 * @param {object} how
 * @param {(known: T) => boolean} how.isFinished
 * @param {(leftMs: number) => Promise<T>} how.ask
 * @param {(known: T) => void} how.tell
 * @param {number} how.withinMs
 * @returns {Promise<{ known: T, inTime: boolean }>} the last that was heard
 */
export async function until(first, { isFinished, ask, tell, withinMs }) {
  const deadline = performance.now() + withinMs;
  let known = first;
  for (let pause = PAUSE_MS_MIN; ; pause = Math.min(pause * SLOWER, PAUSE_MS_MAX)) {
    tell(known);
    if (isFinished(known)) return { known, inTime: true };
    const left = deadline - performance.now();
    if (left <= 0) return { known, inTime: false };
    await sleep(Math.min(pause, left));
    try {
      known = await ask(Math.max(1, deadline - performance.now()));
    } catch (failure) {
      // An answer that did not come before the end is no failure of the API.
      if (performance.now() < deadline) throw failure;
      return { known, inTime: false };
    }
  }
}
