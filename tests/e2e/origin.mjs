// The media origin's control API, as crates/media-origin/README.md describes it.

import { ask, json } from "./ask.mjs";

/**
 * @typedef {object} Bill
 * @property {number} operations what the platform would bill
 * @property {number} transforms how often ffmpeg ran
 * @property {number} requests how often a transformation was asked for
 * @property {{ url: string, operations: number }[]} unique
 *
 * @typedef {object} Journalled
 * @property {string} method
 * @property {string} path
 * @property {number | null} status
 * @property {string | null} range
 * @property {boolean} authorization whether there was one
 * @property {string | null} via
 * @property {string | null} cdn_loop
 */

/** @param {{ media: string }} world */
export function origin({ media }) {
  const control = async (/** @type {string} */ method, /** @type {string} */ path, /** @type {unknown} */ order) => {
    const body = order === undefined ? undefined : JSON.stringify(order);
    const headers = { "content-type": "application/json", ...(body && { "content-length": String(body.length) }) };
    const answer = await ask(`${media}/_origin/${path}`, { method, headers, body });
    if (answer.status >= 300) throw new Error(`the media origin refuses ${method} ${path}: ${answer.body}`);
    return answer.body.length > 0 ? json(answer) : undefined;
  };
  return {
    /** @returns {Promise<Bill>} */
    bill: () => control("GET", "bill"),
    /** @returns {Promise<Journalled[]>} every request it got since `forget`, oldest first */
    journal: () => control("GET", "requests"),
    /** Empties the bill and the journal; what was made stays made. */
    forget: async () => {
      await control("DELETE", "bill");
      await control("DELETE", "requests");
    },
    /** @param {Record<string, unknown>} order */
    order: (order) => control("POST", "faults", order),
    takeBackFaults: () => control("DELETE", "faults"),
  };
}
