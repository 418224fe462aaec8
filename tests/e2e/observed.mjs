// A window into the built worker's memory: wasm's, and its process's. The worker is the one that is deployed; only
// the module around it is ours.

import { readdirSync, readFileSync } from "node:fs";

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
const { default: Worker } = await import("./index.js");

export default class extends Worker {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/observed/memory") {
      return new Response(String(globalThis.observedInstance.exports.memory.buffer.byteLength));
    }
    ${routes}
    return super.fetch(request);
  }
}
`;

/**
 * The size of the worker's linear memory.
 *
 * @param {{ worker: string }} world started around {@link window}
 */
export const wasmBytes = async ({ worker }) => Number(await (await fetch(`${worker}/observed/memory`)).text());

/** What the workerd processes that this process has started hold of the machine's memory. */
export function workerdKib() {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        const status = readFileSync(`/proc/${pid}/status`, "utf8");
        const [name, parent, kib] = ["Name", "PPid", "VmRSS"].map((key) => status.match(`${key}:\\s+(\\S+)`)?.[1]);
        return name?.startsWith("workerd") && parent === String(process.pid) ? Number(kib) : 0;
      } catch {
        return 0; // it ended meanwhile
      }
    })
    .reduce((sum, kib) => sum + kib, 0);
}
