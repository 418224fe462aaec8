// What the workerd that this process started has used of the machine: processor time and memory (proc(5)).

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

const TICKS_PER_S = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

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

/** Processor time so far, of all its threads, in user mode and in the kernel's. @param {number} pid */
export function cpuSeconds(pid) {
  // The second field is a name in parentheses, which may have blanks in it.
  const fields = read(pid, "stat").replace(/^.*\) /, "").split(" ");
  const [user, kernel] = [fields[11], fields[12]].map(Number);
  return (user + kernel) / TICKS_PER_S;
}

/** What it holds of the machine's memory. @param {number} pid */
export const residentMib = (pid) => Number(read(pid, "status").match(/^VmRSS:\s+(\d+)/m)?.[1]) / 1024;
