// The local world: the media origin and the built worker in workerd, on ports of 127.0.0.1.
// `npm start` and the end-to-end tests both start it here, from the same wrangler.jsonc.

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { experimental_readRawConfig as readRawConfig } from "wrangler";
import { fromRoot, MEDIA_ORIGIN, WORKER_DIR } from "./layout.mjs";
import { localConfig } from "./local-config.mjs";
import { Failure, service } from "./process.mjs";
import { startInMiniflare, startUnderWrangler } from "./runner.mjs";

/** Everything listens here and nowhere else. */
const HOST = "127.0.0.1";

/** A cold media origin on a busy machine answers well inside this. */
const MEDIA_READY_MS = 30_000;

/**
 * Fails with a sentence when something else listens on the port.
 *
 * @param {number} port 0 for any free one
 * @param {string} variable the environment variable that would change it
 * @returns {Promise<number>} the port, now known to be free
 */
export function freePort(port, variable) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error) => {
      const inUse = /** @type {NodeJS.ErrnoException} */ (error).code === "EADDRINUSE";
      const why = inUse ? "is in use" : `cannot be used (${error.message})`;
      reject(new Failure(`port ${port} on ${HOST} ${why}: free it or choose another with ${variable}.`));
    });
    probe.listen(port, HOST, () => {
      const address = probe.address();
      const found = typeof address === "object" && address ? address.port : port;
      probe.close(() => resolve(found));
    });
  });
}

/** @param {number} port @param {string} stateDir @param {(line: string) => void} onLine */
async function startMedia(port, stateDir, onLine) {
  /** @type {(url: string) => void} */
  let ready = () => {};
  const url = new Promise((resolve) => {
    ready = resolve;
  });
  const media = service("media-origin", MEDIA_ORIGIN, [], {
    cwd: fromRoot(),
    env: { MEDIA_HOST: HOST, MEDIA_PORT: String(port), MEDIA_STATE_DIR: path.join(stateDir, "media") },
    onLine: (line) => {
      const found = line.match(/media-origin ready at (http:\/\/\S+)/)?.[1];
      if (found) ready(found);
      onLine(line);
    },
  });
  const timeout = new AbortController();
  const first = await Promise.race([
    url.then((found) => ({ found })),
    media.ended.then((how) => ({ how: `it ended at once (${how}): ${media.tail().at(-1) ?? "it said nothing"}` })),
    sleep(MEDIA_READY_MS, timeout.signal).then(() => ({ how: `it was not ready after ${MEDIA_READY_MS / 1000} s` })),
  ]);
  timeout.abort();
  if ("how" in first) {
    await media.stop();
    throw new Failure(`the media origin did not start: ${first.how}`);
  }
  return { ...media, url: /** @type {string} */ (first.found) };
}

/** @param {number} ms @param {AbortSignal} signal ends the wait early */
function sleep(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve(undefined);
    });
  });
}

/** More than any test asks. */
const OUT_OF_REACH = 1_000_000;

/**
 * wrangler.jsonc as the local world runs it: the same bindings, dates and flags, with our configuration
 * as RESIZER_CONFIG and with paths that hold from the state directory, where it is written.
 *
 * @param {string} stateDir
 * @param {Record<string, unknown>} config
 * @param {Record<string, unknown>} vars
 * @param {boolean} gate whether the gate before fills is bound
 * @param {Record<string, number> | undefined} limits what limiters admit, by binding; those not named, whatever is asked
 * @returns {string} its path
 */
function writeWranglerConfig(stateDir, config, vars, gate, limits) {
  const { rawConfig } = readRawConfig({ config: fromRoot("wrangler.jsonc") });
  const local = {
    ...rawConfig,
    $schema: undefined,
    main: path.join(WORKER_DIR, "index.js"),
    build: { ...rawConfig.build, cwd: fromRoot(), watch_dir: fromRoot("src") },
    vars: { ...rawConfig.vars, RESIZER_CONFIG: config, ...vars },
    durable_objects: {
      bindings: rawConfig.durable_objects.bindings.filter((/** @type {{ name: string }} */ it) => gate || it.name !== "FILL_GATE"),
    },
    ratelimits: rawConfig.ratelimits?.map((limiter) => ({
      ...limiter,
      simple: limits ? { ...limiter.simple, limit: limits[limiter.name] ?? OUT_OF_REACH } : limiter.simple,
    })),
  };
  const file = path.join(stateDir, "wrangler.json");
  writeFileSync(file, JSON.stringify(local, null, 2));
  return file;
}

/**
 * @typedef {object} World
 * @property {string} worker the worker's URL, without a trailing slash
 * @property {string} media the media origin's URL, without a trailing slash
 * @property {string} stateDir
 * @property {() => Record<string, any>[]} logs the worker's structured log lines so far, oldest first
 * @property {() => void} forgetLogs empties `logs()`
 * @property {{ cache: any, config: any }} kv the worker's two namespaces as `KVNamespace`s: `get`,
 *   `getWithMetadata`, `put`, `list`, `delete`; only in workerd under Miniflare
 * @property {() => Promise<void>} clearEdge empties the Cache API and leaves KV alone; only under Miniflare
 * @property {() => Promise<void>} restart ends the worker and starts it again on the same port and state;
 *   only under Miniflare
 * @property {Promise<string>} died resolves with a sentence when a part of it ends by itself
 * @property {() => Promise<void>} stop returns when nothing of it runs any more
 */

/**
 * Starts the media origin, then the worker against it, and returns when both answer.
 * Fails with one sentence, and leaves nothing running, when either cannot start.
 * Set-up and builds are the caller's: `npm start` and `npm test` do them first.
 *
 * @param {object} [options]
 * @param {number} [options.port] the worker's; any free one by default
 * @param {number} [options.mediaPort] the media origin's; any free one by default
 * @param {string} [options.stateDir] where KV and the Cache API persist; without one the state is
 *   temporary and goes with the world
 * @param {Record<string, unknown>} [options.config] top-level keys over those of `localConfig`
 * @param {Record<string, unknown>} [options.vars] further `vars` of the worker
 * @param {"miniflare" | "wrangler"} [options.runner] `wrangler` is the real `wrangler dev`, as people
 *   run it; `miniflare` is the same workerd held by us, which lets a test look into KV
 * @param {boolean} [options.gate] whether the gate before fills is bound; it is by default
 * @param {Record<string, number>} [options.limits] what limiters admit in a minute, by binding; under Miniflare those not
 *   named admit whatever is asked, under `wrangler dev` they are as in wrangler.jsonc
 * @param {string} [options.around] source of a module to stand before the worker's own, which it imports as
 *   "./index.js": it can watch or break what the platform gives the worker; only under Miniflare
 * @param {string} [options.kvAt] the URL of a KV for the renditions that is not simulated in the worker's process;
 *   only under Miniflare
 * @param {(from: "media" | "worker", line: string) => void} [options.onLine] every line either prints
 * @returns {Promise<World>}
 */
export async function startWorld({
  port = 0,
  mediaPort = 0,
  stateDir,
  config = {},
  vars = {},
  runner = "miniflare",
  gate = true,
  limits = runner === "miniflare" ? {} : undefined,
  around,
  kvAt,
  onLine = () => {},
} = {}) {
  for (const file of [MEDIA_ORIGIN, path.join(WORKER_DIR, "index.js")]) {
    if (!existsSync(file)) {
      throw new Failure(`${path.relative(fromRoot(), file)} is not built: run "npm start" or "npm test".`);
    }
  }
  // Both choose one for themselves where any will do; found out before, it may be somebody else's by then.
  const workerPort = port === 0 && runner === "miniflare" ? 0 : await freePort(port, "PORT");
  const dir = stateDir ?? mkdtempSync(path.join(tmpdir(), "video-resizer-"));
  mkdirSync(dir, { recursive: true });
  const forget = () => {
    if (!stateDir) rmSync(dir, { recursive: true, force: true });
  };

  const free = mediaPort === 0 ? 0 : await freePort(mediaPort, "MEDIA_PORT");
  const media = await startMedia(free, dir, (line) => onLine("media", line));
  try {
    /** @type {Record<string, any>[]} */
    const logs = [];
    const start = runner === "wrangler" ? startUnderWrangler : startInMiniflare;
    const worker = await start({
      host: HOST,
      port: workerPort,
      stateDir: dir,
      configPath: writeWranglerConfig(dir, localConfig(media.url, config), vars, gate, limits),
      around,
      kvAt,
      onLine: (line) => {
        const entry = structured(line);
        if (entry) logs.push(entry);
        onLine("worker", line);
      },
    });
    return {
      worker: worker.url,
      media: media.url,
      stateDir: dir,
      logs: () => [...logs],
      forgetLogs: () => void logs.splice(0),
      kv: worker.kv,
      clearEdge: worker.clearEdge,
      restart: worker.restart,
      died: Promise.race([
        media.ended.then((how) => `the media origin stopped by itself (${how}): ${media.tail().at(-1) ?? ""}`),
        worker.ended.then((how) => `the worker stopped by itself (${how})`),
      ]),
      stop: async () => {
        await Promise.all([worker.stop(), media.stop()]);
        forget();
      },
    };
  } catch (error) {
    await media.stop();
    forget();
    throw error;
  }
}

/** @param {string} line @returns {Record<string, any> | undefined} the JSON object it is, if it is one */
function structured(line) {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
