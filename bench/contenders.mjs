// Who is measured, as Miniflare starts them: the built worker, as it is deployed, and the floor.

import { readFileSync } from "node:fs";
import path from "node:path";
import { unstable_getMiniflareWorkerOptions as workerOptionsOf } from "wrangler";
import { fromRoot, WORKER_DIR } from "../scripts/layout.mjs";

/** The binding of what both keep renditions in. */
const RENDITIONS = "VIDEO_TRANSFORMATIONS_CACHE";

/** More misses a minute than any bench makes. */
const OUT_OF_REACH = 100_000_000;

/** The workers of the floor, as bench/floor-worker.mjs exports them. */
export const FLOORS = /** @type {const} */ (["edge", "unchanged", "kv", "miss"]);

/**
 * Keeps hold of the one wasm instance that is made, and answers for its memory behind a socket of its own, so that
 * nothing stands before the worker that is measured. It collects garbage first where V8 was told to let it.
 */
const HOLD = `
WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
  construct(target, args) {
    globalThis.heldInstance = Reflect.construct(target, args, target);
    return globalThis.heldInstance;
  },
});
export const memory = {
  fetch() {
    globalThis.gc?.();
    return new Response(String(globalThis.heldInstance.exports.memory.buffer.byteLength));
  },
};
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

/** The built worker's two files. */
export const built = () => ({
  script: readFileSync(path.join(WORKER_DIR, "index.js"), "utf8"),
  wasm: readFileSync(path.join(WORKER_DIR, "index_bg.wasm")),
});

/** What wrangler.jsonc says of it. */
export const deployed = () => workerOptionsOf(fromRoot("wrangler.jsonc")).workerOptions;

/**
 * The built worker; it keeps to its defaults where the stage does not need it otherwise.
 *
 * @param {string} name
 * @param {string} origin
 * @param {Record<string, unknown>} config top-level keys
 */
export function product(name, origin, config) {
  const { ratelimits, bindings, ...options } = deployed();
  for (const limiter of Object.values(/** @type {Record<string, any>} */ (ratelimits))) limiter.simple.limit = OUT_OF_REACH;
  const RESIZER_CONFIG = {
    transformer: { baseUrl: `${origin}/cdn-cgi/media` },
    origins: [{ name: "default", pattern: "^/(.+)$", sources: [{ url: `${origin}/$1` }] }],
    sources: { allowPrivate: true },
    bypass: { access: "open" }, // the way to KV around an edge that has it
    ...config,
  };
  const { script, wasm } = built();
  return {
    ...options,
    ratelimits,
    name,
    bindings: { ...bindings, RESIZER_CONFIG },
    modulesRoot: WORKER_DIR,
    modules: [
      module("entry.js", ENTRY),
      module("hold.js", HOLD),
      module("index.js", script),
      { type: /** @type {const} */ ("CompiledWasm"), path: path.join(WORKER_DIR, "index_bg.wasm"), contents: wasm },
    ],
    unsafeDirectSockets: sockets(["default", "memory"]),
  };
}

/** The floor, on the same day of the platform. @param {string} origin */
export function floor(origin) {
  const { compatibilityDate, compatibilityFlags, kvNamespaces } = deployed();
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
