// The first byte of a cold miss: the media origin's own, and what of it the floor, the product, and the product
// without its gate make, in turns.

import http from "node:http";
import { HOST, unheard } from "./load.mjs";
import { still } from "./process.mjs";
import { quantile } from "./report.mjs";
import { QUERY } from "./stage.mjs";

/** Every address is one that nobody has asked for before. */
const CONTENDERS = /** @type {const} */ (["origin", "floor", "product", "ungated"]);

/**
 * @typedef {object} FirstByte
 * @property {Record<typeof CONTENDERS[number], number>} ms medians
 * @property {number} overOriginMs the median of the product's over the origin's own, of one round each
 * @property {number} overFloorMs the same over the floor's
 */

/**
 * Asks each in turns for bodies that are nowhere, so many at a time, and rests until what is owed is written.
 *
 * @param {import("./stage.mjs").Stage} stage
 * @param {{ bytes: number, connections: number, rounds: number }} how
 * @returns {Promise<FirstByte>}
 */
export async function firstBytes(stage, { bytes, connections, rounds }) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  const urls = { origin: stage.origin, floor: stage.floor.miss, product: stage.product, ungated: stage.ungated };
  /** @param {typeof CONTENDERS[number]} who */
  const volley = async (who) => {
    const query = who === "product" || who === "ungated" ? QUERY : "";
    const one = () => firstByteMs(`${urls[who]}/${who}/${unheard()}/${bytes}.mp4${query}`, agent);
    const ms = quantile(await Promise.all(Array.from({ length: connections }, one)), 0.5);
    await still(stage.pid);
    return ms;
  };
  /** @type {Record<typeof CONTENDERS[number], number>[]} */
  const seen = [];
  // The first round makes connections and warms up, and is not counted.
  for (let round = -1; round < rounds; round += 1) {
    const found = { origin: 0, floor: 0, product: 0, ungated: 0 };
    for (const who of CONTENDERS) found[who] = await volley(who);
    if (round >= 0) seen.push(found);
  }
  agent.destroy();
  const median = (/** @type {(round: typeof seen[number]) => number} */ of) => quantile(seen.map(of), 0.5);
  return {
    ms: {
      origin: median(({ origin }) => origin),
      floor: median(({ floor }) => floor),
      product: median(({ product }) => product),
      ungated: median(({ ungated }) => ungated),
    },
    overOriginMs: median(({ origin, product }) => product - origin),
    overFloorMs: median(({ floor, product }) => product - floor),
  };
}

/** @param {string} url @param {http.Agent} agent @returns {Promise<number>} */
function firstByteMs(url, agent) {
  return new Promise((resolve, reject) => {
    const asked = performance.now();
    let ms = Number.NaN;
    const request = http.get(url, { agent, headers: { host: HOST } }, (response) => {
      if (response.statusCode !== 200) return reject(new Error(`${url} answered ${response.statusCode}`));
      response.once("data", () => void (ms = performance.now() - asked));
      response.on("end", () => resolve(ms));
      response.on("error", reject);
    });
    request.on("error", reject);
  });
}
