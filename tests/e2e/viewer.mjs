// A viewer as the worker meets one: raw HTTP over a connection of its own, so that a test sees what came,
// when it came, and whether it was all of it. Beside it, the orders a test gives to the media origin.

import assert from "node:assert/strict";
import http from "node:http";

/** Nothing here is asked that a busy machine could not answer inside this. */
const DEADLINE_MS = 60_000;

/** How often something awaited is looked at. */
const POLL_MS = 25;

/**
 * @typedef {object} Answer
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
 * @returns {Promise<Answer>}
 */
export async function ask(url, options) {
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
 * What each tier says of a request in `Cache-Status`, without the tier's name and what changes with the clock.
 *
 * @param {{ headers: http.IncomingHttpHeaders }} answer
 * @returns {{ edge?: string, kv?: string }}
 */
export function tiers(answer) {
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
 * Looks until there is something to see, and fails with `what` when there is nothing in time.
 *
 * @template T
 * @param {string} what a sentence that says what was awaited
 * @param {() => Promise<T | null | undefined | false> | T | null | undefined | false} look
 * @returns {Promise<T>}
 */
export async function eventually(what, look) {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > deadline) assert.fail(`not within ${DEADLINE_MS / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
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
  const response = await fetch(`${world.media}/_origin/faults`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ match, on, fault }),
  });
  const text = await response.text();
  assert.equal(response.status, 201, `the media origin refused the order: ${text}`);
  const { id } = JSON.parse(text);
  return async () => {
    const withdrawn = await fetch(`${world.media}/_origin/faults/${id}`, { method: "DELETE" });
    assert.ok(withdrawn.ok, "the order could not be taken back");
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
  const journal = await (await fetch(`${world.media}/_origin/requests`)).json();
  return journal.filter((/** @type {{ path: string }} */ { path }) => path.startsWith("/cdn-cgi/media/") && path.includes(match)).length;
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
