// A viewer who watches an answer come: what came, when it came, and whether it was all of it. Where an answer is
// expected whole, and its time is of no interest, ask.mjs is simpler.

import assert from "node:assert/strict";
import http from "node:http";
import { ask } from "./ask.mjs";
import { origin } from "./origin.mjs";

/** Nothing here is asked that a busy machine could not answer inside this. */
const DEADLINE_MS = 60_000;

/**
 * @typedef {object} Watched
 * @property {number} status 0 when the connection ended before an answer began
 * @property {http.IncomingHttpHeaders} headers
 * @property {Buffer} body what came of it
 * @property {boolean} broken whether the connection ended before the answer did
 * @property {number} firstByteMs until the first byte of the body, or the end of an answer without one
 * @property {number} wholeMs until its end
 */

/**
 * Sends a request and returns when the answer begins; its body is the caller's.
 *
 * @param {string} url
 * @param {{ method?: string, headers?: Record<string, string> }} [options]
 * @returns {Promise<http.IncomingMessage>}
 */
export function open(url, { method = "GET", headers = {} } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers, agent: false, timeout: DEADLINE_MS }, (response) => {
      response.on("error", () => {}); // a body that breaks off is told by `complete`
      resolve(response);
    });
    request.on("timeout", () => request.destroy(new Error(`nothing came from ${url} for ${DEADLINE_MS / 1000} s`)));
    request.on("error", reject);
    request.end();
  });
}

/**
 * Sends a request and reads the answer to its end, be it early.
 *
 * @param {string} url
 * @param {{ method?: string, headers?: Record<string, string> }} [options]
 * @returns {Promise<Watched>}
 */
export async function watch(url, options) {
  const began = performance.now();
  const response = await open(url, options).catch((error) => {
    if (error.code !== "ECONNRESET") throw error;
  });
  if (!response) {
    const ms = performance.now() - began;
    return { status: 0, headers: {}, body: Buffer.alloc(0), broken: true, firstByteMs: ms, wholeMs: ms };
  }
  let firstByteMs = 0;
  /** @type {Buffer[]} */
  const pieces = [];
  response.on("data", (piece) => {
    firstByteMs ||= performance.now() - began;
    pieces.push(piece);
  });
  await new Promise((resolve) => response.once("close", resolve));
  const wholeMs = performance.now() - began;
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: Buffer.concat(pieces),
    broken: !response.complete,
    firstByteMs: firstByteMs || wholeMs,
    wholeMs,
  };
}

/**
 * What each tier says of a request in `Cache-Status`, to the letter, but for its own name and what the clock changes.
 *
 * @param {{ headers: http.IncomingHttpHeaders }} answer
 * @returns {{ edge?: string, kv?: string }}
 */
export function cacheStatus(answer) {
  const header = String(answer.headers["cache-status"] ?? "");
  const members = header.split(", ").filter(Boolean).map((member) => {
    const [name = "", ...parameters] = member.split("; ");
    const steady = parameters.filter((parameter) => !parameter.startsWith("ttl="));
    return [name.replace("video-resizer-", ""), steady.join("; ")];
  });
  return Object.fromEntries(members);
}

/**
 * Why the transforms of a request were no good, as `Server-Timing` tells it.
 *
 * @param {{ headers: http.IncomingHttpHeaders }} answer
 * @returns {string[]}
 */
export function unfit(answer) {
  const header = String(answer.headers["server-timing"] ?? "");
  return header.split(", ").flatMap((entry) => entry.match(/^transform;.*desc=(.+)$/)?.[1] ?? []);
}

/**
 * Orders a fault of the media origin for every request whose address contains `match`.
 *
 * @param {{ media: string }} world
 * @param {"transform" | "source" | "any"} on
 * @param {string} match
 * @param {Record<string, unknown>} fault
 * @returns {Promise<() => Promise<void>>} takes the order back
 */
export async function order(world, on, match, fault) {
  const { id } = await origin(world).order({ match, on, fault });
  return async () => {
    const withdrawn = await ask(`${world.media}/_origin/faults/${id}`, { method: "DELETE" });
    assert.ok(withdrawn.status < 300, "the order could not be taken back");
  };
}

/**
 * How often the transformer was asked for something whose address contains `match`.
 *
 * @param {{ media: string }} world
 * @param {string} match
 * @returns {Promise<number>}
 */
export async function transformsOf(world, match) {
  const journal = await origin(world).journal();
  return journal.filter(({ path }) => path.startsWith("/cdn-cgi/media/") && path.includes(match)).length;
}

/**
 * The entry of a video's only rendition in KV, if there is one.
 *
 * @param {import("../../scripts/world.mjs").World} world
 * @param {string} match part of its key
 * @returns {Promise<{ key: string, metadata: any } | undefined>}
 */
export async function inKv(world, match) {
  const { keys } = await world.kv.cache.list();
  const found = keys.filter((/** @type {{ name: string }} */ { name }) => name.includes(match));
  assert.ok(found.length <= 1, `one entry of ${match} at the most, but there are ${found.length}`);
  return found[0] && { key: found[0].name, metadata: found[0].metadata };
}
