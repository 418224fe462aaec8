// The stage of the benches: the built worker and the floor in one workerd, each behind a socket of its own, over one
// Cache API and one KV namespace on one disk, before a media origin that answers at once.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { fromRoot } from "../scripts/layout.mjs";
import { service } from "../scripts/process.mjs";
import { ask, eventually } from "../tests/e2e/ask.mjs";
import { floor, FLOORS, product } from "./contenders.mjs";
import { check, HOST } from "./load.mjs";
import { workerdPid } from "./process.mjs";

/** How Miniflare is told what to tell V8. */
const V8_FLAGS = "MINIFLARE_WORKERD_V8_FLAGS";

/** @typedef {Awaited<ReturnType<typeof openStage>>} Stage */

/** The product in other ways than it ships, each a worker of its own. @type {Record<string, Record<string, unknown>>} */
const VARIANTS = {
  /** With a log of errors only. */
  quiet: { log: { level: "error" } },
  /** Without the gate before fills. */
  ungated: { cache: { coalesce: false } },
};

/**
 * Starts all of it: the worker as it ships, its variants, and the floor.
 *
 * @param {{ heap?: "hidden" | "shown" }} [options] `shown` has an inspector, which makes everything slower
 */
export async function openStage({ heap = "hidden" } = {}) {
  const dir = mkdtempSync(path.join(tmpdir(), "video-resizer-bench-"));
  const forget = () => rmSync(dir, { recursive: true, force: true });
  process.on("exit", forget); // a run that is cut short leaves gigabytes otherwise
  const origin = await startOrigin();
  if (heap === "shown") process.env[V8_FLAGS] = "--expose-gc";
  const options = convertV4MiniflareOptions({
    workers: [
      product("product", origin.url, {}),
      ...Object.entries(VARIANTS).map(([name, config]) => product(name, origin.url, config)),
      floor(origin.url),
    ],
    cf: false, // would be fetched from the network
    log: new Log(LogLevel.ERROR),
    resourcePersistencePath: dir,
    ...(heap === "shown" && { inspectorPort: 0 }),
    handleStructuredLogs: () => {}, // read, as they must be, and let go
  });
  const miniflare = new Miniflare(options);
  await miniflare.ready;
  const at = async (/** @type {string} */ name, entrypoint = "default") =>
    (await miniflare.unsafeGetDirectURL(name, entrypoint)).origin;
  const floors = await Promise.all(FLOORS.map(async (name) => [name, await at("floor", name)]));
  const memoryUrl = await at("product", "memory");
  return {
    product: await at("product"),
    quiet: await at("quiet"),
    ungated: await at("ungated"),
    floor: /** @type {Record<typeof FLOORS[number], string>} */ (Object.fromEntries(floors)),
    origin: origin.url,
    pid: workerdPid(),
    /** The size of the product's linear memory. */
    wasmBytes: async () => Number(await (await fetch(memoryUrl)).text()),
    /** Where the product's isolate is inspected, on a stage whose heap is shown. */
    inspector: async () => new URL("/core:user:product", await miniflare.getInspectorURL()),
    stop: async () => {
      await Promise.all([miniflare.dispose(), origin.stop()]);
      forget();
    },
  };
}

export async function startOrigin() {
  /** @type {(url: string) => void} */
  let ready = () => {};
  const url = new Promise((resolve) => void (ready = resolve));
  const { stop, ended } = service("origin", process.execPath, [fromRoot("bench", "origin.mjs")], {
    onLine: (line) => ready(line.replace("ready at ", "")),
  });
  const failed = ended.then((how) => Promise.reject(new Error(`the origin of the bench ended (${how})`)));
  failed.catch(() => {});
  return { url: /** @type {string} */ (await Promise.race([url, failed])), stop };
}

/** What both are asked for: a body of that length. @param {number} bytes */
export const pathOf = (bytes) => `/videos/${bytes}.mp4`;

/** What makes it a rendition for the product. */
export const QUERY = "?width=640";

/** @param {"edge" | "kv"} tier of the product's answers */
export const from = (tier) => (/** @type {import("node:http").IncomingHttpHeaders} */ headers) =>
  String(headers["cache-status"]).includes(`video-resizer-${tier}; hit`);

/**
 * Has both put a body where they keep bodies, by a miss.
 *
 * @param {Stage} stage
 * @param {number} bytes
 * @returns {Promise<Record<"product" | "floor", string>>} their entity tags
 */
export async function fill(stage, bytes) {
  const wanted = { status: 200, bytes };
  const product = { ...wanted, url: `${stage.product}${pathOf(bytes)}${QUERY}` };
  for (const asked of [product, { ...wanted, url: `${stage.floor.miss}${pathOf(bytes)}` }]) await check(asked);
  const floors = /** @type {const} */ (["edge", "kv"]).map((name) => ({ ...wanted, url: `${stage.floor[name]}${pathOf(bytes)}` }));
  const ours = [{ ...product, url: `${product.url}&no-edge-cache`, isRight: from("kv") }, { ...product, isRight: from("edge") }];
  for (const asked of [...floors, ...ours]) {
    await eventually(() => check(asked).then(() => true, () => false), `${asked.url} is where it should be`);
  }
  return { product: await tagOf(product.url), floor: await tagOf(floors[0].url) };
}

/** @param {string} url */
const tagOf = async (url) => (await ask(url, { headers: { host: HOST } })).headers.etag;
