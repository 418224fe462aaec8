// A duel: the floor, the product and the floor again, in turns, in many short rounds. Whatever a round's moment does to
// the machine it does to both, so ratios are taken within a round; and the second floor over the first is the noise.

import { load } from "./load.mjs";
import { cpuSeconds, still } from "./process.mjs";
import { quantile } from "./report.mjs";

/** Before the first round each has been asked for so long. */
const WARM_UP_S = 1;

/** Bodies of this length and more, and misses, have legs so many times as long, in rounds so many times fewer. */
const LARGE_BYTES = 1024 * 1024;
const SLOW_TIMES = 3;

/**
 * @typedef {object} Leg one contender in one round
 * @property {number} perSecond
 * @property {number} cpuMs of the workerd process, per answer: seconds per 1,000
 * @property {number} p50Ms
 * @property {number} p99Ms
 *
 * @typedef {Record<"first" | "product" | "second", Leg>} Round
 *
 * @typedef {object} Ratio
 * @property {number} median of all rounds
 * @property {number} low the first quarter is under it
 * @property {number} high the last quarter is over it
 *
 * @typedef {object} Outcome
 * @property {Leg} floor medians
 * @property {Leg} product medians
 * @property {{ perSecond: Ratio, cpuMs: Ratio }} ratio of the product over the mean of both floors
 * @property {{ perSecond: Ratio, cpuMs: Ratio }} noise of the second floor over the first
 */

/**
 * @param {Record<"floor" | "product", import("./load.mjs").Asked>} contenders
 * @param {{ pid: number, connections: number, seconds: number, rounds: number }} how
 * @returns {Promise<Outcome>}
 */
export async function duel({ floor, product }, { pid, connections, seconds, rounds }) {
  const times = floor.bytes < LARGE_BYTES && !floor.fresh ? 1 : SLOW_TIMES;
  /** @param {import("./load.mjs").Asked} asked @returns {Promise<Leg>} */
  const leg = async (asked) => {
    const before = cpuSeconds(pid);
    const { answers, perSecond, p50Ms, p99Ms } = await load(asked, { connections, seconds: seconds * times });
    // What it left behind, such as the last answers, which nobody waits for, is its own work.
    await still(pid);
    return { perSecond, cpuMs: ((cpuSeconds(pid) - before) * 1000) / answers, p50Ms, p99Ms };
  };
  for (const asked of [floor, product]) await load(asked, { connections, seconds: WARM_UP_S });
  /** @type {Round[]} */
  const legs = [];
  for (let round = 0; round < Math.max(1, rounds / times); round += 1) {
    legs.push({ first: await leg(floor), product: await leg(product), second: await leg(floor) });
  }
  /** @param {(round: Round, what: "perSecond" | "cpuMs") => number} of */
  const over = (of) => ({
    perSecond: ratio(legs.map((round) => of(round, "perSecond"))),
    cpuMs: ratio(legs.map((round) => of(round, "cpuMs"))),
  });
  return {
    floor: medians(legs.flatMap(({ first, second }) => [first, second])),
    product: medians(legs.map(({ product }) => product)),
    ratio: over(({ first, product, second }, what) => (2 * product[what]) / (first[what] + second[what])),
    noise: over(({ first, second }, what) => second[what] / first[what]),
  };
}

/** @param {number[]} values @returns {Ratio} */
const ratio = (values) => ({ median: quantile(values, 0.5), low: quantile(values, 0.25), high: quantile(values, 0.75) });

/** @param {Leg[]} legs @returns {Leg} */
function medians(legs) {
  const of = (/** @type {keyof Leg} */ what) => quantile(legs.map((leg) => leg[what]), 0.5);
  return { perSecond: of("perSecond"), cpuMs: of("cpuMs"), p50Ms: of("p50Ms"), p99Ms: of("p99Ms") };
}
