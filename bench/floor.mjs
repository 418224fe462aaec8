// What the product costs above the floor: a bare worker that makes the same calls of the platform and nothing else,
// in the same workerd, in turns. Compare ratios; the machine's own numbers are nobody else's.
//
// Usage: npm run bench:floor [-- --print] [--only=edge,kv] [--bodies=20000] [--connections=1] [--rounds=12] [--seconds=0.4]
// The kinds of cases are edge, kv, range, 304, miss and log. All of them take some ten minutes.
// Without --print it writes its part of docs/performance.md, and fails where a target is not held.

import { parseArgs } from "node:util";
import { fromRoot } from "../scripts/layout.mjs";
import { Failure, script } from "../scripts/process.mjs";
import { casesOf, KINDS } from "./cases.mjs";
import { duel } from "./duel.mjs";
import { firstBytes } from "./first-byte.mjs";
import { check } from "./load.mjs";
import { residentMib } from "./process.mjs";
import { machine, record } from "./report.mjs";
import { openStage } from "./stage.mjs";

const PAGE = fromRoot("docs", "performance.md");

/** What hits are held to, as ratios of the floor, and cold misses with one viewer. */
const TARGET = { perSecond: 0.95, cpuMs: 1.1, overOriginMs: 5 };

const { values: chosen } = parseArgs({
  options: {
    print: { type: "boolean", default: false },
    only: { type: "string", default: Object.keys(KINDS).toSorted().join(",") },
    bodies: { type: "string", default: "20000,512000,20971520" },
    connections: { type: "string", default: "1,16" },
    rounds: { type: "string", default: "12" },
    seconds: { type: "string", default: "0.4" },
  },
});
const numbers = (/** @type {string} */ list) => list.split(",").map(Number);
const [bodies, connections] = [numbers(chosen.bodies), numbers(chosen.connections)];
const [rounds, seconds] = [Number(chosen.rounds), Number(chosen.seconds)];

/** So many rounds of first bytes for each of the others. Large bodies fill the disk. */
const FIRST_BYTE_ROUNDS = 2;
const VOLLEY_BYTES_MAX = 25_000_000;

/** A target that is missed, in words. @type {string[]} */
const missed = [];

const fixed = (/** @type {number} */ value) => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
const spread = (/** @type {import("./duel.mjs").Ratio} */ { median, low, high }) =>
  `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
const cells = (/** @type {unknown[]} */ values) => `| ${values.join(" | ")} |`;

/**
 * @param {import("./cases.mjs").Case & { bytes: number }} asked
 * @param {number} connections
 * @param {import("./duel.mjs").Outcome} outcome
 */
function row({ name, target, bytes }, connections, { floor, product, ratio, noise }) {
  const where = `${name} of ${bytes} bytes, connections: ${connections}`;
  const isShort = ratio.perSecond.median < TARGET.perSecond;
  const isDear = ratio.cpuMs.median > TARGET.cpuMs;
  if (target === "held" && isShort) missed.push(`${where}: ${fixed(ratio.perSecond.median)} of the floor's requests/s`);
  if (target === "held" && isDear) missed.push(`${where}: ${fixed(ratio.cpuMs.median)} of the floor's CPU`);
  return cells([
    name,
    bytes,
    connections,
    ...[fixed(floor.perSecond), fixed(product.perSecond), spread(ratio.perSecond), spread(noise.perSecond)],
    ...[fixed(floor.cpuMs), fixed(product.cpuMs), spread(ratio.cpuMs), spread(noise.cpuMs)],
    ...[floor, product].map(({ p50Ms, p99Ms }) => `${fixed(p50Ms)} / ${fixed(p99Ms)}`),
  ]);
}

/** @type {string[]} */
const lines = [];
/** @param {string[]} more */
function say(...more) {
  lines.push(...more);
  console.log(more.join("\n"));
}

/** @param {import("./stage.mjs").Stage} stage */
async function duels(stage) {
  say(
    machine(),
    `Method: ${rounds} rounds of floor, product, floor, ${seconds} s each (large bodies and misses: a third of the rounds, three times as long), after a warm-up, by wrk with one thread; the host, the path and the body are the same for both.`,
    "Requests/s, CPU and latencies are medians of the rounds; CPU is the time on a processor of the whole workerd process, the platform's simulation with it.",
    "A ratio is of the product over the mean of the two floors around it: the median of the rounds, and in parentheses the first and the third quarter.",
    "The noise is that of the second floor over the first: what a ratio would be if both were the same.",
    "",
    "| case | body | connections | requests/s: floor | product | ratio | noise | CPU s per 1,000: floor | product | ratio | noise | p50 / p99 ms: floor | product |",
    "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
  );
  for (const kind of chosen.only.split(",")) {
    for await (const asked of casesOf(stage, kind, bodies)) {
      for (const count of connections) {
        for (const side of [asked.floor, asked.product]) await check(side);
        say(row(asked, count, await duel(asked, { pid: stage.pid, connections: count, rounds, seconds })));
        for (const side of [asked.floor, asked.product]) await check(side);
      }
    }
  }
}

/** @param {import("./stage.mjs").Stage} stage */
async function coldMisses(stage) {
  say(
    "",
    `The first byte of a cold miss, from the request to the first byte of the body: medians of ${rounds * FIRST_BYTE_ROUNDS} rounds of origin, floor, product, product without its gate (\`cache.coalesce\`),`,
    "each for an address of its own, with so many requests at a time, and a rest until what is owed to the tiers is written.",
    "",
    "| body | at a time | ms: origin | floor | product | without gate | product over origin | product over floor |",
    "|---|---|---|---|---|---|---|---|",
  );
  for (const bytes of bodies) {
    for (const count of connections.filter((count) => count === 1 || bytes * count < VOLLEY_BYTES_MAX)) {
      const { ms, overOriginMs, overFloorMs } = await firstBytes(stage, { bytes, connections: count, rounds: rounds * FIRST_BYTE_ROUNDS });
      if (count === 1 && overOriginMs > TARGET.overOriginMs) {
        missed.push(`the first byte of a cold miss of ${bytes} bytes: ${fixed(overOriginMs)} ms over the origin's own`);
      }
      say(cells([bytes, count, fixed(ms.origin), fixed(ms.floor), fixed(ms.product), fixed(ms.ungated), fixed(overOriginMs), fixed(overFloorMs)]));
    }
  }
}

await script(async () => {
  const stage = await openStage();
  try {
    await duels(stage);
    if (chosen.only.split(",").includes("miss")) await coldMisses(stage);
    const held = `${fixed(residentMib(stage.pid))} MiB`;
    say("", `At the end the workerd process held ${held}, all workers and the platform's simulation together, and the product's wasm memory was ${await stage.wasmBytes()} bytes.`);
  } finally {
    await stage.stop();
  }
  const targets = `requests/s of hits at least ${TARGET.perSecond} of the floor's, CPU at most ${TARGET.cpuMs}, the first byte of a cold miss within ${TARGET.overOriginMs} ms of the origin's own`;
  say("", `Targets: ${targets}. ${missed.length === 0 ? "All are held." : "Not held:"}`, ...missed.map((sentence) => `- ${sentence}`));
  if (chosen.print) return;
  record(PAGE, "npm run bench:floor", lines);
  if (missed.length > 0) throw new Failure("not every target is held.");
});
