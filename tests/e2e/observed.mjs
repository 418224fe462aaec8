// A window into the built worker's wasm memory, and a transformer of our own that answers with as many bytes as
// its address says. The worker is the one that is deployed; only the module around it is ours.

import { readdirSync, readFileSync } from "node:fs";
import http from "node:http";

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

/** A body is written in pieces of this size. */
const PIECE = Buffer.alloc(64 * 1024, "video");

/**
 * @typedef {object} Transformer
 * @property {Record<string, unknown>} config what makes a worker use it
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
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : undefined}`;
  return {
    config: {
      transformer: { baseUrl: `${url}/cdn-cgi/media` },
      origins: [{ name: "default", pattern: "^/(.+)$", sources: [{ url: `${url}/$1` }] }],
    },
    asked: () => asked,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
