// Entries that were made long ago: nobody waits an hour in a test, so what a world has just made is made older by
// rewriting the times that stand beside it in KV.

import { eventually } from "./ask.mjs";

/** The members of an entry's metadata that are moments, in milliseconds. */
const MOMENTS = ["b", "c", "f", "w", "u", "a", "q"];

/** @typedef {import("../../scripts/world.mjs").World} World */

/**
 * The entry in KV under a key, once it is there.
 *
 * @param {World} world
 * @param {string} key
 * @returns {Promise<{ value: ArrayBuffer, metadata: Record<string, any> }>}
 */
export const entryOf = (world, key) =>
  eventually(async () => {
    const found = await world.kv.cache.getWithMetadata(key, "arrayBuffer");
    return found.value !== null && found;
  }, `KV has ${key}`);

/**
 * Lets an entry be as it is so many seconds after it was made, or its source was last asked.
 *
 * @param {World} world
 * @param {string} key
 * @param {number} seconds
 */
export async function age(world, key, seconds) {
  const { value, metadata } = await entryOf(world, key);
  const shift = Date.now() - seconds * 1000 - (metadata.q ?? metadata.a ?? metadata.c);
  for (const moment of MOMENTS) if (moment in metadata) metadata[moment] += shift;
  await world.kv.cache.put(key, value, { metadata });
  return metadata;
}

/**
 * The same for all that is kept, as long after it was made: the edge has forgotten it, and so have the gates and
 * every isolate what they knew of its fills.
 *
 * @param {World} world
 */
export async function forgetAllButKv(world) {
  await world.restart();
  await world.clearEdge();
}
