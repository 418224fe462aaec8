// Two ways to run the built worker in workerd: the real `wrangler dev`, and Miniflare held in this process.
// Both read the same wrangler configuration and keep the same files, so state made by one is read by the other.

import path from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions as workerOptionsOf } from "wrangler";
import { fromRoot, WORKER_DIR } from "./layout.mjs";
import { Failure, service } from "./process.mjs";

/** `wrangler dev` is ready in about 3 s; a busy machine gets this long. */
const WORKER_READY_MS = 60_000;

/** How often a starting worker is asked whether it answers. */
const POLL_MS = 100;

/**
 * @typedef {object} RunnerOptions
 * @property {string} host
 * @property {number} port
 * @property {string} stateDir
 * @property {string} configPath a wrangler configuration file
 * @property {(line: string) => void} onLine
 * @property {string} [around] only under Miniflare: source of a module that stands before the worker's own,
 *   which it imports as "./index.js"; what that exports beside its default is exported without its doing
 * @property {string} [kvAt] only under Miniflare: where the renditions' KV is, in the dialect of a remote binding
 *
 * @typedef {object} Runner
 * @property {string} url
 * @property {{ cache: any, config: any }} kv
 * @property {() => Promise<void>} clearEdge
 * @property {() => Promise<void>} restart
 * @property {Promise<string>} ended
 * @property {() => Promise<void>} stop
 */

/** @returns {never} */
function needsMiniflare() {
  throw new Failure('only a world started with runner: "miniflare" can do this.');
}

/**
 * Starts `wrangler dev` and returns when the worker answers.
 *
 * @param {RunnerOptions} options
 * @returns {Promise<Runner>}
 */
export async function startUnderWrangler({ host, port, stateDir, configPath, onLine }) {
  const args = ["dev", "--config", configPath, "--local", "--ip", host, "--port", String(port)];
  args.push("--inspector-port", "0", "--persist-to", stateDir, "--show-interactive-dev-session=false");
  const wrangler = service("wrangler", "wrangler", args, {
    cwd: fromRoot(),
    env: {
      CI: "1", // asks no questions
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_LOG_PATH: path.join(stateDir, "wrangler-logs"),
      WRANGLER_REGISTRY_PATH: path.join(stateDir, "registry"), // no other project's dev servers are ours
      WRANGLER_CACHE_DIR: path.join(stateDir, "wrangler-cache"),
    },
    onLine,
  });
  const url = `http://${host}:${port}`;
  let ended = "";
  void wrangler.ended.then((how) => {
    ended = how;
  });
  // The dev server takes connections early and holds them until the worker can answer.
  const deadline = Date.now() + WORKER_READY_MS;
  while (!(await answers(url))) {
    if (ended) throw new Failure(`wrangler dev did not start (${ended}): ${lastError(wrangler.tail())}`);
    if (Date.now() > deadline) {
      await wrangler.stop();
      throw new Failure(`the worker did not answer at ${url} within ${WORKER_READY_MS / 1000} s.`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return {
    url,
    kv: {
      get cache() {
        return needsMiniflare();
      },
      get config() {
        return needsMiniflare();
      },
    },
    clearEdge: async () => needsMiniflare(),
    restart: async () => needsMiniflare(),
    ended: wrangler.ended,
    stop: wrangler.stop,
  };
}

/** @param {string} url */
async function answers(url) {
  try {
    const response = await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(WORKER_READY_MS) });
    await response.body?.cancel();
    return true;
  } catch {
    return false;
  }
}

/** @param {string[]} tail @returns {string} the line of wrangler's output that says why */
function lastError(tail) {
  return tail.findLast((line) => /error/i.test(line)) ?? tail.at(-1) ?? "it said nothing";
}

/** The binding of the namespace that has the renditions. */
const RENDITIONS = "VIDEO_TRANSFORMATIONS_CACHE";

/** What workerd starts where something stands around the worker: its default, and the worker's Durable Objects. */
const ENTRY = `
export { default } from "./around.js";
export * from "./index.js";
`;

/** @param {string} name @param {string} contents */
const module = (name, contents) => ({ type: /** @type {const} */ ("ESModule"), path: path.join(WORKER_DIR, name), contents });

/**
 * Starts workerd through Miniflare in this process and returns when the worker answers.
 *
 * @param {RunnerOptions} options
 * @returns {Promise<Runner>}
 */
export async function startInMiniflare({ host, port, stateDir, configPath, onLine, around, kvAt }) {
  const { workerOptions } = workerOptionsOf(configPath);
  if (kvAt) workerOptions.kvNamespaces[RENDITIONS].remoteProxyConnectionString = new URL(kvAt);
  const first = around === undefined ? [] : [module("entry.js", ENTRY), module("around.js", around)];
  const optionsAt = (/** @type {number} */ port) => convertV4MiniflareOptions({
    ...workerOptions,
    modulesRoot: WORKER_DIR,
    // The first module is the one that workerd starts.
    modules: [
      ...first,
      { type: "ESModule", path: path.join(WORKER_DIR, "index.js") },
      { type: "CompiledWasm", path: path.join(WORKER_DIR, "index_bg.wasm") },
    ],
    host,
    port,
    cf: false, // would be fetched from the network
    log: new Log(LogLevel.ERROR),
    unsafeTriggerHandlers: true, // the clock strikes when /cdn-cgi/local/scheduled is asked, as under wrangler dev
    resourcePersistencePath: path.join(stateDir, "v3"), // where `wrangler dev --persist-to` keeps it
    handleStructuredLogs: ({ message }) => onLine(message),
  });
  let miniflare = new Miniflare(optionsAt(port));
  const { origin: url, port: chosen } = await miniflare.ready;
  return {
    url,
    kv: {
      cache: await namespace(RENDITIONS),
      config: await namespace("VIDEO_CONFIGURATION_STORE"),
    },
    clearEdge: async () => void (await miniflare.purgeCache()),
    restart: async () => {
      await miniflare.dispose();
      miniflare = new Miniflare(optionsAt(Number(chosen)));
      await miniflare.ready;
    },
    ended: new Promise(() => {}), // Miniflare restarts a workerd that dies
    stop: () => miniflare.dispose(),
  };

  /** @param {string} binding */
  async function namespace(binding) {
    /** @param {string} method */
    const call = (method) => async (/** @type {unknown[]} */ ...args) => {
      // Asked anew each time: a handle does not outlive the Miniflare it came from.
      const handle = /** @type {any} */ (await miniflare.getKVNamespace(binding));
      return handle[method](...args);
    };
    return Object.fromEntries(["get", "getWithMetadata", "put", "list", "delete"].map((m) => [m, call(m)]));
  }
}
