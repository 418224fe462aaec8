// What wasm asks of the platform on the way of a hit, each in one call: going over to JavaScript and back, and carrying
// a text across, is what a hit costs most. It decides nothing.

import { ring, settle } from "./index.js";

/**
 * Tells wasm how a promise ends, by the number of its ticket.
 *
 * @param {Promise<unknown>} promise
 * @param {number} ticket
 */
export function follow(promise, ticket) {
  promise.then(
    (value) => settle(ticket, true, value),
    (error) => settle(ticket, false, error),
  );
}

/**
 * Rings once, by the number of a ticket. Nobody calls it off: that costs as much as the ringing, and the platform does
 * it for all that a request has left when it is over.
 *
 * @param {number} ms
 * @param {number} ticket
 */
export function ringIn(ms, ticket) {
  setTimeout(ring, ms, ticket);
}

/** @param {Promise<unknown>} promise whose end is nobody's concern, and its failure no error */
export function forget(promise) {
  promise.then(undefined, () => {});
}

/**
 * Keeps a request alive behind its answer.
 *
 * @param {{ waitUntil(work: Promise<unknown>): void }} context
 * @returns {() => void} what ends it
 */
export function stay(context) {
  const { promise, resolve } = Promise.withResolvers();
  context.waitUntil(promise);
  return resolve;
}

/**
 * @param {Request} request
 * @returns {string} its method, its URL, then each header's name and value, a line each: no line end can be in any
 */
export function asked(request) {
  let text = `${request.method}\n${request.url}`;
  for (const [name, value] of request.headers) text += `\n${name}\n${value}`;
  return text;
}

/**
 * @param {string} url
 * @param {string | undefined} range
 * @returns {Promise<Response | undefined>}
 */
export function edgeMatch(url, range) {
  return caches.default.match(range === undefined ? url : new Request(url, { headers: { range } }));
}

/**
 * @param {Response} found
 * @param {string} metadata the name of the header that has an entry's
 * @returns {string} status, `Content-Length`, `Content-Range` of a part, and metadata, a line each; empty where there is none
 */
export function edgeHead({ status, headers }, metadata) {
  const range = status === 206 ? headers.get("content-range") : "";
  return `${status}\n${headers.get("content-length") ?? ""}\n${range ?? ""}\n${headers.get(metadata) ?? ""}`;
}

/**
 * @param {{ getWithMetadata(key: string, options: object): Promise<{ value: unknown, metadata: unknown }> }} namespace
 * @param {string} key
 * @param {number} cacheTtl seconds
 * @returns {Promise<{ value: ReadableStream | null, metadata: unknown }>}
 */
export function kvRead(namespace, key, cacheTtl) {
  return namespace.getWithMetadata(key, { type: "stream", cacheTtl });
}

/**
 * @param {{ metadata: unknown }} found
 * @returns {string | undefined} what KV has beside the value, as JSON
 */
export function kvMetadata({ metadata }) {
  return metadata && typeof metadata === "object" ? JSON.stringify(metadata) : undefined;
}

/**
 * @param {number} status
 * @param {string} head each header's name and value, a line each
 * @param {BodyInit | null} body
 */
export function respond(status, head, body) {
  const lines = head.split("\n");
  /** @type {Record<string, string>} */
  const headers = {};
  for (let at = 0; at + 1 < lines.length; at += 2) headers[lines[at]] = lines[at + 1];
  return new Response(body, { status, headers });
}
