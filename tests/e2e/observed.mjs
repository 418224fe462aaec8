// A window into the built worker's memory: wasm's, and its process's. The worker is the one that is deployed; only
// the module around it is ours.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";

/**
 * Stands before the worker, as `startWorld({ around })` has it: keeps hold of the one wasm instance that is
 * made, which is why the worker is imported only then, and answers for it at a path of its own.
 *
 * @param {string} [routes] code that may answer `request`, whose path is `pathname`, before the worker does
 */
export const window = (routes = "") => `
WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
  construct(target, args) {
    globalThis.observedInstance = Reflect.construct(target, args, target);
    return globalThis.observedInstance;
  },
});
const { default: worker } = await import("./index.js");

export default {
  ...worker,
  async fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    if (pathname === "/observed/memory") {
      return new Response(String(globalThis.observedInstance.exports.memory.buffer.byteLength));
    }
    ${routes}
    return worker.fetch(request, env, context);
  },
};
`;

/**
 * The size of the worker's linear memory.
 *
 * @param {{ worker: string }} world started around {@link window}
 */
export const wasmBytes = async ({ worker }) => Number(await (await fetch(`${worker}/observed/memory`)).text());

/** The workerd processes that this process has started. */
const workerds = () =>
  readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    const status = statusOf(name);
    return field(status, "Name")?.startsWith("workerd") && field(status, "PPid") === String(process.pid);
  });

/** @param {string} pid @returns {string} nothing when it ended meanwhile */
function statusOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "";
  }
}

/** @param {string} status @param {string} name */
const field = (status, name) => status.match(new RegExp(`^${name}:\\s+(\\S+)`, "m"))?.[1];

/** What they hold of the machine's memory. */
export const workerdKib = () => kib("VmRSS");

/** The most they have held at a time since {@link forgetPeak}: the kernel's own mark, which no sampling can miss. */
export const workerdPeakKib = () => kib("VmHWM");

/** @param {string} name */
const kib = (name) => workerds().reduce((sum, pid) => sum + Number(field(statusOf(pid), name) ?? 0), 0);

/** Starts the mark of {@link workerdPeakKib} anew (proc(5), `clear_refs`). */
export function forgetPeak() {
  for (const pid of workerds()) writeFileSync(`/proc/${pid}/clear_refs`, "5");
}
