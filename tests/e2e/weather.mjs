// Bad weather between the worker and its tiers: KV and the Cache API made slow, absent, forgetful or wrong, one
// operation or all of them, told at run time by the test, which also learns what the worker asked of them.
// weather-platform.mjs is the half of it that lives in workerd.

import { readFileSync } from "node:fs";
import { ask, eventually, json } from "./ask.mjs";
import { window } from "./observed.mjs";

/**
 * For `startWorld({ around })`: calm until something is ordered. It is a {@link window} as well.
 *
 * @param {string} [routes] as the window takes them
 */
export const weatherAround = (routes = "") => `
${readFileSync(new URL("weather-platform.mjs", import.meta.url), "utf8")}
${window(`if (pathname === "/__weather") return forecast(request);\n${routes}`)}
`;

/**
 * Which operations an order is for, and what they meet. Several effects go together: a body that `ends` and is
 * `unacknowledged` is a write that was kept in part and then failed.
 *
 * @typedef {object} Order
 * @property {string | string[]} on a tier, `kv` (the renditions), `config` (the other namespace) or `edge`, or one
 *   operation of it, as in `kv.put` or `edge.match`
 * @property {string} [key] only of this key; at the edge, of this URL
 * @property {string} [prefix] only of keys that begin so
 * @property {number} [nth] from the n-th such operation on, counted from 1 since the order
 * @property {number} [times] for so many of them: one where `nth` is given, else all
 *
 * @property {number | "forever"} [late] milliseconds that a read waits before it asks, and a write after it is
 *   done, before it says so; two orders add up. `forever` is until the order is taken back
 * @property {true | string} [fails] it is not done and fails, with this message
 * @property {true} [unacknowledged] it is done, and fails
 * @property {true} [misses] a read finds nothing; a write says it is done, and is not
 * @property {number} [missesForMs] a key that a read did not find stays not found for so long, whoever writes it: the
 *   cached negative look-ups of a data centre
 * @property {string} [as] a read finds what is under this key (at the edge: this URL)
 * @property {Record<string, unknown>} [metadata] `getWithMetadata` finds these members among the others
 * @property {{ at: number, then: "ends" | "breaks" | "stalls" | "drips" | "lies", bytesPerS?: number }} [body] what
 *   becomes of a body at this byte: it ends as if that were all, breaks off, does not go on until the order is taken
 *   back, goes on at so many bytes a second, or is wrong in that byte
 * @property {true} [weighed] the journal says how many bytes passed. Their streams then pass through JavaScript,
 *   which costs time and the length that the platform knew: for counting, not for timing
 */

/**
 * @typedef {object} Operation
 * @property {number} n begins are numbered together with ends (`endedAs`)
 * @property {string} on as in `kv.getWithMetadata`
 * @property {string} key at the edge the URL, of a list its prefix
 * @property {number} began milliseconds since 1970
 * @property {number} [ended]
 * @property {number} [endedAs]
 * @property {string} outcome `under way`, `done`, `nothing` (a read that found none), `abandoned` (it was made to wait,
 *   and meanwhile the request ended that it was for), or the message of its failure
 * @property {number} [bytes] of bodies that are weighed
 * @property {number} [ttlS] of a put to KV: its `expirationTtl`
 */

/**
 * The weather of a world that was started around {@link weatherAround}.
 *
 * @param {{ worker: string }} world
 */
export function weather({ worker }) {
  const speak = async (/** @type {string} */ method, query = "", /** @type {unknown} */ document = undefined) => {
    const body = document === undefined ? undefined : JSON.stringify(document);
    const headers = /** @type {Record<string, string>} */ (body ? { "content-length": String(Buffer.byteLength(body)) } : {});
    const answer = await ask(`${worker}/__weather${query}`, { method, headers, body });
    if (answer.status >= 300) throw new Error(`no such weather: ${answer.body}`);
    return answer.status === 204 ? undefined : json(answer);
  };
  /** @returns {Promise<Operation[]>} since `forget`, in the order in which they began */
  const operations = async () => {
    const { operations: found, full } = await speak("GET");
    if (full) throw new Error("more operations than the journal holds: forget them now and then");
    return found;
  };
  return {
    operations,

    /** Those that have begun, once none is under way. */
    settled: () =>
      eventually(async () => {
        const found = await operations();
        return found.every(({ outcome }) => outcome !== "under way") && found;
      }, "the end of every operation"),

    /** Empties the journal. */
    forget: () => speak("DELETE", "?journal"),

    /**
     * @param {Order} order
     * @returns {Promise<{ withdraw: () => Promise<void>, struck: () => Promise<number> }>} takes it back; says how
     *   many operations it met, for as long as it stands
     */
    order: async (order) => {
      const { id } = await speak("POST", "", order);
      return {
        withdraw: () => speak("DELETE", `?id=${id}`),
        struck: async () => {
          const { orders } = await speak("GET");
          return orders.find((/** @type {{ id: number }} */ each) => each.id === id)?.struck ?? 0;
        },
      };
    },

    /** Takes every order back. */
    calm: () => speak("DELETE"),
  };
}

/**
 * How many operations there were of each kind and of each beginning of a key, as in
 * `{ "kv.put chunk:": 4, "kv.put video:": 1 }`. Keys that begin otherwise count under the operation alone.
 *
 * @param {Operation[]} operations
 * @param {string[]} [prefixes]
 * @returns {Record<string, number>}
 */
export function tally(operations, prefixes = ["video:", "chunk:"]) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const { on, key } of operations) {
    const prefix = prefixes.find((each) => key.startsWith(each));
    const name = prefix ? `${on} ${prefix}` : on;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/**
 * The most that were under way at the same time.
 *
 * @param {Operation[]} operations
 */
export function atOnce(operations) {
  const turns = operations
    .flatMap(({ n, endedAs = Infinity }) => [{ turn: n, change: 1 }, { turn: endedAs, change: -1 }])
    .sort((a, b) => a.turn - b.turn);
  let [now, most] = [0, 0];
  for (const { change } of turns) {
    now += change;
    most = Math.max(most, now);
  }
  return most;
}
