// The stage of the benches: the built worker and the floor in one workerd, each behind a socket of its own, over one
// Cache API and one KV namespace on one disk, before a media origin that answers at once.

import { readFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions as workerOptionsOf } from "wrangler";
import { fromRoot, WORKER_DIR } from "../scripts/layout.mjs";
import { service } from "../scripts/process.mjs";
import { ask, eventually } from "../tests/e2e/ask.mjs";
import { check, HOST } from "./load.mjs";
import { workerdPid } from "./process.mjs";

/** What all bodies come from, and both workers keep them in. */
const RENDITIONS = "VIDEO_TRANSFORMATIONS_CACHE";

/** More misses a minute than any bench makes. */
const OUT_OF_REACH = 100_000_000;

/** The names of the floor's workers, as bench/floor-worker.mjs exports them. */
const FLOORS = /** @type {const} */ (["edge", "unchanged", "kv", "miss"]);

/**
 * Keeps hold of the one wasm instance that is made, and answers for its memory behind a socket of its own: the
 * worker that is measured is the one that is deployed, with nothing before it.
 */
const HOLD = `
WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
  construct(target, args) {
    globalThis.heldInstance = Reflect.construct(target, args, target);
    return globalThis.heldInstance;
  },
});
export const memory = { fetch: () => new Response(String(globalThis.heldInstance.exports.memory.buffer.byteLength)) };
`;
const ENTRY = `
export { memory } from "./hold.js";
export * from "./index.js";
export { default } from "./index.js";
`;

/** @param {string} name @param {string} contents */
const module = (name, contents) => ({ type: /** @type {const} */ ("ESModule"), path: path.join(WORKER_DIR, name), contents });

/** @param {readonly string[]} entrypoints */
const sockets = (entrypoints) => entrypoints.map((entrypoint) => ({ host: "127.0.0.1", port: 0, entrypoint }));

/**
 * The built worker.
 *
 * @param {string} name
 * @param {string} origin
 * @param {Record<string, unknown>} config top-level keys
 */
function product(name, origin, config) {
  const { workerOptions } = workerOptionsOf(fromRoot("wrangler.jsonc"));
  const { ratelimits, bindings } = workerOptions;
  for (const limiter of Object.values(/** @type {Record<string, any>} */ (ratelimits))) limiter.simple.limit = OUT_OF_REACH;
  const RESIZER_CONFIG = {
    transformer: { baseUrl: `${origin}/cdn-cgi/media` },
    origins: [{ name: "default", pattern: "^/(.+)$", sources: [{ url: `${origin}/$1` }] }],
    sources: { allowPrivate: true },
    bypass: { access: "open" },
    ...config,
  };
  return {
    ...workerOptions,
    name,
    bindings: { ...bindings, RESIZER_CONFIG },
    modulesRoot: WORKER_DIR,
    modules: [
      module("entry.js", ENTRY),
      module("hold.js", HOLD),
      module("index.js", readFileSync(path.join(WORKER_DIR, "index.js"), "utf8")),
      { type: /** @type {const} */ ("CompiledWasm"), path: path.join(WORKER_DIR, "index_bg.wasm") },
    ],
    unsafeDirectSockets: sockets(["default", "memory"]),
  };
}

/** The floor, on the same day of the platform. @param {string} origin */
function floor(origin) {
  const { workerOptions } = workerOptionsOf(fromRoot("wrangler.jsonc"));
  const { compatibilityDate, compatibilityFlags, kvNamespaces } = workerOptions;
  return {
    name: "floor",
    compatibilityDate,
    compatibilityFlags,
    kvNamespaces: { KV: kvNamespaces[RENDITIONS] },
    bindings: { ORIGIN: origin },
    modulesRoot: fromRoot("bench"),
    modules: [{ type: /** @type {const} */ ("ESModule"), path: fromRoot("bench", "floor-worker.mjs") }],
    unsafeDirectSockets: sockets(FLOORS),
  };
}

/** @typedef {Awaited<ReturnType<typeof openStage>>} Stage */

/** Starts all of it: the worker as it ships, and once more with a log of errors only. */
export async function openStage() {
  const dir = mkdtempSync(path.join(tmpdir(), "video-resizer-bench-"));
  const origin = await startOrigin();
  const options = convertV4MiniflareOptions({
    workers: [product("product", origin.url, {}), product("quiet", origin.url, { log: { level: "error" } }), floor(origin.url)],
    cf: false, // would be fetched from the network
    log: new Log(LogLevel.ERROR),
    resourcePersistencePath: dir,
    handleStructuredLogs: () => {}, // read, as they must be, and let go
  });
  const miniflare = new Miniflare(options);
  const at = async (/** @type {string} */ name, entrypoint = "default") =>
    (await miniflare.unsafeGetDirectURL(name, entrypoint)).origin;
  await miniflare.ready;
  const floors = await Promise.all(FLOORS.map(async (name) => [name, await at("floor", name)]));
  const memoryUrl = await at("product", "memory");
  return {
    product: await at("product"),
    quiet: await at("quiet"),
    floor: /** @type {Record<typeof FLOORS[number], string>} */ (Object.fromEntries(floors)),
    origin: origin.url,
    pid: workerdPid(),
    /** The size of the worker's linear memory. */
    wasmBytes: async () => Number(await (await fetch(memoryUrl)).text()),
    stop: async () => {
      await Promise.all([miniflare.dispose(), origin.stop()]);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function startOrigin() {
  /** @type {(url: string) => void} */
  let ready = () => {};
  const url = new Promise((resolve) => void (ready = resolve));
  const { stop, ended } = service("origin", process.execPath, [fromRoot("bench", "origin.mjs")], {
    onLine: (line) => ready(line.replace("ready at ", "")),
  });
  const failed = ended.then((how) => Promise.reject(new Error(`the origin of the bench did not start (${how})`)));
  return { url: /** @type {string} */ (await Promise.race([url, failed])), stop };
}

/** What both workers are asked for: a body of that length. @param {number} bytes */
export const pathOf = (bytes) => `/videos/${bytes}.mp4`;

/** What makes it a rendition for the worker. */
export const QUERY = "?width=640";

/** @param {string} tier of the worker's answers */
export const from = (tier) => (/** @type {import("node:http").IncomingHttpHeaders} */ headers) =>
  new RegExp(`video-resizer-${tier}; hit`).test(String(headers["cache-status"]));

/**
 * Has both workers put a body where they keep bodies, by a miss.
 *
 * @param {Stage} stage
 * @param {number} bytes
 * @returns {Promise<Record<"product" | "floor", string>>} their entity tags
 */
export async function fill(stage, bytes) {
  const wanted = { status: 200, bytes };
  const product = { ...wanted, url: `${stage.product}${pathOf(bytes)}${QUERY}` };
  const floor = { ...wanted, url: `${stage.floor.miss}${pathOf(bytes)}` };
  for (const asked of [product, floor]) await check(asked);
  const [edge, kv] = [product.url, `${product.url}&no-edge-cache`];
  await settled([{ ...wanted, url: kv, isRight: from("kv") }, { ...wanted, url: edge, isRight: from("edge") }]);
  await settled(["edge", "kv"].map((name) => ({ ...wanted, url: `${stage.floor[name]}${pathOf(bytes)}` })));
  return { product: await tagOf(product.url), floor: await tagOf(`${stage.floor.edge}${pathOf(bytes)}`) };
}

/** @param {import("./load.mjs").Asked[]} all */
async function settled(all) {
  for (const asked of all) {
    await eventually(() => check(asked).then(() => true, () => false), `${asked.url} is where it should be`);
    await check(asked);
  }
}

/** @param {string} url */
async function tagOf(url) {
  const { headers } = await ask(url, { headers: { host: HOST } });
  return headers.etag;
}
