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

/** What it holds of the machine's memory. @param {number} pid */
export const residentMib = (pid) => Number(read(pid, "status").match(/^VmRSS:\s+(\d+)/m)?.[1]) / 1024;
