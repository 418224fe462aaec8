// What the workerd that this process started has used of the machine: processor time and memory (proc(5)).

import { readdirSync, readFileSync } from "node:fs";

/** @param {string | number} pid @param {string} file */
const read = (pid, file) => readFileSync(`/proc/${pid}/${file}`, "utf8");

/** The one workerd that this process has started. */
export function workerdPid() {
  const threads = readdirSync(`/proc/${process.pid}/task`);
  const children = threads.flatMap((thread) => read(process.pid, `task/${thread}/children`).split(" ").filter(Boolean));
  const found = children.filter((pid) => read(pid, "comm").startsWith("workerd"));
  if (found.length !== 1) throw new Error(`${found.length} workerd processes, not one`);
  return Number(found[0]);
}

/** Processor time so far, of all its threads, in user mode and in the kernel's; to the nanosecond, where `stat` has ticks. @param {number} pid */
export function cpuSeconds(pid) {
  const nanoseconds = readdirSync(`/proc/${pid}/task`).map((thread) => Number(read(pid, `task/${thread}/schedstat`).split(" ")[0]));
  return nanoseconds.reduce((sum, value) => sum + value, 0) / 1e9;
}

/** A process that used hardly any processor time for so long has done what it owed. */
const STILL_MS = 40;
const STILL_CPU_S = 0.002;
const STILL_MS_MAX = 10_000;

/** Waits until it has nothing more to do. @param {number} pid */
export async function still(pid) {
  const deadline = performance.now() + STILL_MS_MAX;
  for (let before = Number.NEGATIVE_INFINITY; cpuSeconds(pid) - before > STILL_CPU_S && performance.now() < deadline; ) {
    before = cpuSeconds(pid);
    await new Promise((resolve) => setTimeout(resolve, STILL_MS));
  }
}

/** What it holds of the machine's memory. @param {number} pid */
export const residentMib = (pid) => Number(read(pid, "status").match(/^VmRSS:\s+(\d+)/m)?.[1]) / 1024;
