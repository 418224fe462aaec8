// What a worker's process holds of memory while something happens: its course, and the most of it.

import { forgetPeak, wasmBytes, workerdKib, workerdPeakKib } from "../tests/e2e/observed.mjs";

const SAMPLE_MS = 50;

/** A process left alone for so long is idle: what it was going to give back, it has given back. */
const IDLE_AFTER_MS = 3_000;

const mib = (/** @type {number} */ kib) => kib / 1024;

const sleep = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The resident memory of an idle worker, in MiB. */
export async function idleMib() {
  await sleep(IDLE_AFTER_MS);
  return mib(workerdKib());
}

/**
 * @template T
 * @param {{ worker: string }} world started around a window
 * @param {() => Promise<T>} happens
 */
export async function observed(world, happens) {
  const wasmBefore = await wasmBytes(world);
  forgetPeak();
  const began = performance.now();
  /** @type {[number, number][]} */
  const course = [];
  const sample = () => void course.push([(performance.now() - began) / 1000, mib(workerdKib())]);
  sample();
  const timer = setInterval(sample, SAMPLE_MS);
  try {
    const result = await happens();
    sample();
    return {
      result,
      /** Seconds and MiB resident. */
      course,
      peakMib: mib(workerdPeakKib()),
      /** By how much wasm's linear memory grew. */
      wasmGrownBytes: (await wasmBytes(world)) - wasmBefore,
    };
  } finally {
    clearInterval(timer);
  }
}
