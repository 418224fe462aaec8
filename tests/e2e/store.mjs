// A store to look into and to make bad: the worker between a transformer of known bytes and tiers with weather.

import assert from "node:assert/strict";
import { startWorld } from "../../scripts/world.mjs";
import { eventually } from "./ask.mjs";
import { assertExact, inexact, read } from "./reader.mjs";
import { startTransformer } from "./transformer.mjs";
import { weather, weatherAround } from "./weather.mjs";

/** The smallest that the configuration takes for `singleBytesMax` and `chunkBytes`: many chunks of few bytes. */
export const SMALLEST = 64 * 1024;

/** For so long nothing may begin before it is quiet: between two chunks a fill asks the tiers nothing. */
const QUIET_MS = 60;

/** @typedef {Awaited<ReturnType<typeof openStore>>} Store */
/** @typedef {ReturnType<Store["video"]>} Video */

/**
 * @param {Record<string, unknown>} [cache] settings under `cache`
 * @param {Record<string, unknown>} [config] other top-level keys
 * @param {Record<string, unknown>} [vars] of the worker
 */
export async function openStore(cache = {}, config = {}, vars = {}) {
  const transformer = await startTransformer();
  const world = await startWorld({ config: { ...transformer.config, cache, ...config }, vars, around: weatherAround() });
  const sky = weather(world);
  let videos = 0;

  /** Waits until nothing of the tiers is under way and nothing more begins; gives back what was since `sky.forget`. */
  const quiet = async () => {
    for (let before = await sky.settled(); ; ) {
      await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
      const now = await sky.settled();
      if (now.length === before.length) return now;
      before = now;
    }
  };

  /**
   * The keys of KV that begin so, with their metadata, and when each is forgotten.
   *
   * @param {string} prefix
   * @returns {Promise<{ name: string, expiration: number, metadata: any }[]>}
   */
  const keys = async (prefix) => {
    const found = [];
    let cursor;
    do {
      const page = await world.kv.cache.list({ prefix, cursor });
      found.push(...page.keys);
      cursor = page.list_complete ? undefined : page.cursor;
    } while (cursor);
    return found;
  };

  return {
    ...world,
    transformer,
    sky,
    quiet,
    keys,

    /**
     * A rendition that nobody has asked for.
     *
     * @param {number} total its bytes
     * @param {string} [folder] `no-length/` keeps its length from the worker
     */
    video: (total, folder = "") => {
      videos += 1;
      const path = `videos/${folder}${videos}/${total}.mp4`;
      return { total, path, key: `video:${path}:w=640:f=mp4`, url: `${world.worker}/${path}?width=640` };
    },

    /**
     * Has it made, and waits until it is in KV.
     *
     * @param {Video} it
     * @returns {Promise<{ seed: number, metadata: any }>}
     */
    keep: async ({ url, total, key }) => {
      const seed = assertExact(await read(url), { total });
      const { metadata } = await eventually(async () => (await keys(key))[0], `${key} in KV`);
      await quiet();
      return { seed, metadata };
    },

    /**
     * What KV alone has to say.
     *
     * @param {Video} it
     * @param {import("./reader.mjs").Reading} [reading]
     */
    fromKv: async ({ url }, reading) => {
      await quiet();
      await world.clearEdge();
      return read(url, reading);
    },

    /**
     * The keys of a generation's chunks, in their order.
     *
     * @param {{ g: string }} metadata
     */
    chunksOf: ({ g }) => keys(`chunk:${g}:`),

    /**
     * What the worker could not do after an answer, as its log says it.
     *
     * @param {Video} it
     * @returns {{ tier: string, fault: string }[]}
     */
    undone: ({ path }) => world.logs().filter((line) => line.message === "left undone" && line.path === `/${path}`)
      .map(({ tier, fault }) => ({ tier, fault })),

    /**
     * One run of the scrub, as the clock would have it.
     *
     * @returns {Promise<Record<string, any>>} its line in the log
     */
    scrub: async () => {
      const lines = () => world.logs().filter(({ message }) => message === "scrubbed");
      const before = lines().length;
      const ran = await fetch(`${world.worker}/cdn-cgi/local/scheduled?cron=17+*+*+*+*`);
      assert.deepEqual([ran.status, await ran.text()], [200, "ok"]);
      return eventually(() => lines()[before], "the scrub's line in the log");
    },

    stop: async () => {
      transformer.stop();
      await world.stop();
    },
  };
}

/**
 * Every so often a number, from a seed: the same ones in every run (mulberry32).
 *
 * @param {number} seed
 * @returns {(below: number) => number}
 */
export function dice(seed) {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** A transfer that says itself that it is no good. */
const BROKEN = /^(it broke off after|status 0)/;

/**
 * What a viewer may see in bad weather: all of it, or that it is not all of it.
 *
 * @param {import("./reader.mjs").Read} answer
 * @param {Parameters<typeof inexact>[1]} expected
 * @param {string} when
 * @returns {boolean} whether it was all of it
 */
export function assertExactOrBroken(answer, expected, when) {
  const wrong = inexact(answer, expected);
  assert.ok(wrong === "" || BROKEN.test(wrong), `${when}: ${wrong}`);
  return wrong === "";
}
