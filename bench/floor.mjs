// What the product costs above the floor: a bare worker that makes the same calls of the platform and nothing else,
// in the same workerd, in turns. Compare ratios; the machine's own numbers are nobody else's.
//
// Usage: npm run bench:floor [-- --print] [--only=edge,kv] [--bodies=20000] [--connections=1] [--rounds=5] [--seconds=1]
// Without --print it writes its part of docs/performance.md, and fails where a target is not held.

import { parseArgs } from "node:util";
import { fromRoot } from "../scripts/layout.mjs";
import { script } from "../scripts/process.mjs";
import { duel } from "./duel.mjs";
import { check } from "./load.mjs";
import { residentMib } from "./process.mjs";
import { machine, record } from "./report.mjs";
import { fill, from, openStage, pathOf, QUERY } from "./stage.mjs";

const PAGE = fromRoot("docs", "performance.md");

/** What hits are held to, as ratios of the floor. */
const TARGET = { perSecond: 0.95, cpuMs: 1.1 };

const { values: chosen } = parseArgs({
  options: {
    print: { type: "boolean", default: false },
    only: { type: "string", default: "edge,kv,range,304,log" },
    bodies: { type: "string", default: "20000,512000,20971520" },
    connections: { type: "string", default: "1,16" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "1" },
  },
});
const numbers = (/** @type {string} */ list) => list.split(",").map(Number);
const [bodies, connections] = [numbers(chosen.bodies), numbers(chosen.connections)];
const how = { rounds: Number(chosen.rounds), seconds: Number(chosen.seconds) };

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {"held" | "told"} target whether the targets are for it
 * @property {import("./load.mjs").Asked} floor
 * @property {import("./load.mjs").Asked} product
 */

/** Bytes of a range, from the middle of the body. @param {number} bytes */
const rangeOf = (bytes) => ({ first: bytes / 2, length: Math.min(65_536, bytes / 4) });

/**
 * The cases of one body, by the name that chooses them.
 *
 * @param {import("./stage.mjs").Stage} stage
 * @param {number} bytes
 * @returns {Promise<Record<string, Case[]>>}
 */
async function casesOf(stage, bytes) {
  const tags = await fill(stage, bytes);
  const path = pathOf(bytes);
  const ours = { url: `${stage.product}${path}${QUERY}`, status: 200, bytes, isRight: from("edge") };
  const quiet = { ...ours, url: `${stage.quiet}${path}${QUERY}` };
  const aroundEdge = (/** @type {typeof ours} */ asked) => ({ ...asked, url: `${asked.url}&no-edge-cache`, isRight: from("kv") });
  const floor = (/** @type {keyof typeof stage.floor} */ name) => ({ url: `${stage.floor[name]}${path}`, status: 200, bytes });
  const { first, length } = rangeOf(bytes);
  const part = { status: 206, bytes: length, headers: { range: `bytes=${first}-${first + length - 1}` } };
  const unchanged = (/** @type {string} */ tag) => ({ status: 304, bytes: 0, headers: { "if-none-match": tag } });
  return {
    edge: [{ name: "edge hit", target: "held", floor: floor("edge"), product: ours }],
    kv: [{ name: "KV hit", target: "held", floor: floor("kv"), product: aroundEdge(ours) }],
    range: [{ name: `${length} bytes of it, edge hit`, target: "told", floor: { ...floor("edge"), ...part }, product: { ...ours, ...part } }],
    304: [
      {
        name: "304, edge hit; the floor's by the platform",
        target: "told",
        floor: { ...floor("edge"), ...unchanged(tags.floor) },
        product: { ...ours, ...unchanged(tags.product) },
      },
      {
        name: "304, edge hit; the floor's its own",
        target: "told",
        floor: { ...floor("unchanged"), ...unchanged(tags.floor) },
        product: { ...ours, ...unchanged(tags.product) },
      },
    ],
    log: [
      { name: "edge hit, log of errors only", target: "told", floor: floor("edge"), product: quiet },
      { name: "KV hit, log of errors only", target: "told", floor: floor("kv"), product: aroundEdge(quiet) },
    ],
  };
}

/** A target that is missed, in words. @type {string[]} */
const missed = [];

const fixed = (/** @type {number} */ value) => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
const spread = (/** @type {import("./duel.mjs").Ratio} */ { median, least, most }) =>
  `${median.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})`;

const HEAD = [
  "| case | body | connections | requests/s: floor | product | ratio | noise | CPU s per 1,000: floor | product | ratio | noise | p50 / p99 ms: floor | product |",
  "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
];

/**
 * @param {Case} named
 * @param {number} bytes
 * @param {number} connections
 * @param {import("./duel.mjs").Outcome} outcome
 */
function row({ name, target }, bytes, connections, { floor, product, ratio, noise }) {
  const where = `${name}, ${bytes} bytes, ${connections} connections`;
  if (target === "held" && ratio.perSecond.median < TARGET.perSecond) missed.push(`${where}: ${fixed(ratio.perSecond.median)} of the floor's requests/s`);
  if (target === "held" && ratio.cpuMs.median > TARGET.cpuMs) missed.push(`${where}: ${fixed(ratio.cpuMs.median)} of the floor's CPU`);
  const cells = [
    name,
    bytes,
    connections,
    ...[fixed(floor.perSecond), fixed(product.perSecond), spread(ratio.perSecond), spread(noise.perSecond)],
    ...[fixed(floor.cpuMs), fixed(product.cpuMs), spread(ratio.cpuMs), spread(noise.cpuMs)],
    ...[floor, product].map(({ p50Ms, p99Ms }) => `${fixed(p50Ms)} / ${fixed(p99Ms)}`),
  ];
  return `| ${cells.join(" | ")} |`;
}

await script(async () => {
  const lines = [
    machine(),
    `Method: ${how.rounds} rounds of floor, product, floor, ${how.seconds} s each, after a warm-up, by wrk with one thread.`,
    "Numbers are medians. A ratio is of the product over the two floors of its round: the median of the rounds, the least and the most;",
    "the noise is that of the second floor over the first, which would be 1.00 on a machine that does nothing else.",
    "",
    ...HEAD,
  ];
  console.log(lines.join("\n"));
  const stage = await openStage();
  try {
    for (const name of chosen.only.split(",")) {
      for (const bytes of bodies) {
        for (const named of (await casesOf(stage, bytes))[name] ?? []) {
          for (const count of connections) {
            const sides = [named.floor, named.product];
            for (const asked of sides) await check(asked);
            lines.push(row(named, bytes, count, await duel(named, { ...how, pid: stage.pid, connections: count })));
            for (const asked of sides) await check(asked);
            console.log(lines.at(-1));
          }
        }
      }
    }
    lines.push("", `At the end the process held ${fixed(residentMib(stage.pid))} MiB, and the product's wasm memory was ${await stage.wasmBytes()} bytes.`);
    console.log(lines.at(-1));
  } finally {
    await stage.stop();
  }
  for (const sentence of missed) console.log(`not held: ${sentence}`);
  if (chosen.print) return;
  record(PAGE, "npm run bench:floor", lines);
  process.exitCode = missed.length > 0 ? 1 : 0;
});
