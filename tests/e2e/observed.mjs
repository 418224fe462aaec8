// The built worker with a window into its wasm memory, against a transformer of our own that answers with as
// many bytes as its address says. The worker is the one that is deployed; only the module around it is ours.

import { readdirSync, readFileSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions as workerOptionsOf } from "wrangler";
import { fromRoot, WORKER_DIR } from "../../scripts/layout.mjs";

/** Runs before the worker, and keeps hold of the one wasm instance it makes. */
const PRELUDE = `
const Native = WebAssembly.Instance;
WebAssembly.Instance = new Proxy(Native, {
  construct(target, args) {
    globalThis.observedInstance = Reflect.construct(target, args, target);
    return globalThis.observedInstance;
  },
});
`;

const WINDOW = `
import "./observed-prelude.js";
import Worker from "./index.js";
export default class extends Worker {
  async fetch(request) {
    if (new URL(request.url).pathname !== "/observed/memory") return super.fetch(request);
    return new Response(String(globalThis.observedInstance.exports.memory.buffer.byteLength));
  }
}
`;

/**
 * @typedef {object} Observed
 * @property {string} url
 * @property {() => Promise<number>} wasmBytes the size of the worker's linear memory
 * @property {() => number} residentKib what the workerd process holds of the machine's memory
 * @property {() => Promise<void>} clearEdge
 * @property {(binding: string) => Promise<any>} namespace a KV namespace
 * @property {() => Promise<void>} stop
 */

/**
 * Starts the worker under Miniflare, with state in memory, and returns when it answers.
 *
 * @param {Record<string, unknown>} config its whole configuration
 * @returns {Promise<Observed>}
 */
export async function startObserved(config) {
  const { workerOptions } = workerOptionsOf(fromRoot("wrangler.jsonc"));
  const inWorkerDir = (/** @type {string} */ name) => path.join(WORKER_DIR, name);
  return startWorkerd({
    ...workerOptions,
    modulesRoot: WORKER_DIR,
    modules: [
      { type: "ESModule", path: inWorkerDir("observed.js"), contents: WINDOW },
      { type: "ESModule", path: inWorkerDir("observed-prelude.js"), contents: PRELUDE },
      { type: "ESModule", path: inWorkerDir("index.js") },
      { type: "CompiledWasm", path: inWorkerDir("index_bg.wasm") },
    ],
    bindings: { RESIZER_CONFIG: config },
  });
}

/**
 * Starts any worker in a workerd of its own, with the settings of ours.
 *
 * @param {Record<string, any>} worker Miniflare's options of one worker
 * @returns {Promise<Observed>}
 */
export async function startWorkerd(worker) {
  const before = new Set(workerdsOfOurs());
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...worker,
      host: "127.0.0.1",
      port: 0,
      cf: false, // would be fetched from the network
      log: new Log(LogLevel.ERROR),
      handleStructuredLogs: () => {},
    }),
  );
  const url = (await miniflare.ready).origin;
  const pid = workerdsOfOurs().find((one) => !before.has(one));
  return {
    url,
    wasmBytes: async () => Number(await (await fetch(`${url}/observed/memory`)).text()),
    residentKib: () => Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)?.[1]),
    clearEdge: async () => void (await miniflare.purgeCache()),
    namespace: (binding) => miniflare.getKVNamespace(binding),
    stop: () => miniflare.dispose(),
  };
}

/** The workerd processes that this process has started. @returns {string[]} */
function workerdsOfOurs() {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const [, comm, parent] = readFileSync(`/proc/${pid}/stat`, "utf8").match(/\((.*)\) \S (\d+)/) ?? [];
        return comm?.startsWith("workerd") && parent === String(process.pid);
      } catch {
        return false; // it ended meanwhile
      }
    });
}

/** A body is written in pieces of this size. */
const PIECE = Buffer.alloc(64 * 1024, "video");

/**
 * @typedef {object} Transformer
 * @property {string} url what the worker's `transformer.baseUrl` is
 * @property {() => number} asked how often it was asked for a rendition
 * @property {() => void} stop
 */

/**
 * Answers every transformation with `video/mp4` of as many bytes as the source's name says:
 * `/videos/1024.mp4`, or `/videos/no-length/1024.mp4` for one that is not announced.
 *
 * @returns {Promise<Transformer>}
 */
export async function startTransformer() {
  let asked = 0;
  const server = http.createServer((request, response) => {
    const [, quiet, name] = request.url?.match(/(no-length\/)?(\d+)\.mp4/) ?? [];
    const length = Number(name);
    if (request.method === "HEAD") return response.writeHead(200, { "content-length": 1 }).end();
    asked += 1;
    response.writeHead(200, { "content-type": "video/mp4", ...(quiet ? {} : { "content-length": length }) });
    let left = length;
    const more = () => {
      while (left > 0) {
        const piece = left < PIECE.length ? PIECE.subarray(0, left) : PIECE;
        left -= piece.length;
        if (!response.write(piece)) return void response.once("drain", more);
      }
      response.end();
    };
    more();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return {
    url: `http://127.0.0.1:${port}`,
    asked: () => asked,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
