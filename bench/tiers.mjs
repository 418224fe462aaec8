// What each tier costs: our hits beside the least a worker could do in the same workerd, in turns, so that a busy
// machine is unfair to nobody. Compare ratios; the machine's own numbers are nobody else's.
//
// Usage: npm run bench:tiers (under a minute); it writes its part of docs/measurements.md.

import http from "node:http";
import { fromRoot } from "../scripts/layout.mjs";
import { startWorld } from "../scripts/world.mjs";
import { ask, eventually, SAMPLE, tierOf } from "../tests/e2e/ask.mjs";
import { wasmBytes, window } from "../tests/e2e/observed.mjs";
import { order, watch } from "../tests/e2e/viewer.mjs";
import { machine, quantile, record } from "./report.mjs";

const ROUNDS = 3;
const ROUND_MS = 550;
const CONNECTIONS = [1, 16];
const COLD_RUNS = 7;
const DRIP_MS = 600;
const RENDITION = `${SAMPLE}?width=320&height=180`;
const REPORT = fromRoot("docs", "measurements.md");

/** The least a worker could do with each platform call, on entries of its own. */
const FLOOR = `
if (pathname.startsWith("/floor/")) {
  const key = "http://floor.invalid/rendition";
  const { VIDEO_TRANSFORMATIONS_CACHE: kv } = this.env;
  if (request.method === "PUT") {
    const bytes = await request.arrayBuffer();
    const headers = { "cache-control": "max-age=3600", "content-type": "video/mp4", etag: '"floor"' };
    await caches.default.put(key, new Response(bytes, { headers }));
    await kv.put("floor", bytes, { metadata: { type: "video/mp4" } });
    return new Response(null, { status: 204 });
  }
  if (pathname === "/floor/kv") {
    const { value, metadata } = await kv.getWithMetadata("floor", "stream");
    return new Response(value, { headers: { "content-type": metadata.type } });
  }
  const found = await caches.default.match(new Request(key, { headers: request.headers }));
  if (pathname !== "/floor/304") return found;
  await found.body?.cancel();
  return new Response(null, { status: 304, headers: { etag: found.headers.get("etag") } });
}
`;

/**
 * @typedef {object} Contender
 * @property {string} url
 * @property {Record<string, string>} headers
 * @property {number} status what every answer must be
 */

/**
 * Asks over and over for a while, over kept connections, each with one request at a time.
 *
 * @param {Contender} contender
 * @param {number} connections
 * @returns {Promise<{ perSecond: number, ms: number[] }>}
 */
async function load({ url, headers, status }, connections) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  /** @type {number[]} */
  const ms = [];
  const began = performance.now();
  const once = () =>
    new Promise((resolve, reject) => {
      const asked = performance.now();
      const request = http.get(url, { agent, headers }, (response) => {
        if (response.statusCode !== status) return reject(new Error(`${url} answered ${response.statusCode}, not ${status}`));
        response.resume();
        response.on("end", () => resolve(void ms.push(performance.now() - asked)));
        response.on("error", reject);
      });
      request.on("error", reject);
    });
  const loop = async () => {
    while (performance.now() - began < ROUND_MS) await once();
  };
  await Promise.all(Array.from({ length: connections }, loop));
  const seconds = (performance.now() - began) / 1000;
  agent.destroy();
  return { perSecond: ms.length / seconds, ms };
}

/**
 * A floor and us in turns, several times; the medians of both.
 *
 * @param {Contender} floor
 * @param {Contender} ours
 * @param {number} connections
 */
async function duel(floor, ours, connections) {
  /** @type {{ perSecond: number[], ms: number[] }[]} */
  const sides = [{ perSecond: [], ms: [] }, { perSecond: [], ms: [] }];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, contender] of [floor, ours].entries()) {
      const { perSecond, ms } = await load(contender, connections);
      sides[index].perSecond.push(perSecond);
      sides[index].ms.push(...ms);
    }
  }
  return sides.map(({ perSecond, ms }) => ({
    perSecond: quantile(perSecond, 0.5),
    p50: quantile(ms, 0.5),
    p99: quantile(ms, 0.99),
  }));
}

/** @param {string} target */
const reading = (target, headers = {}, status = 200) => ({ url: target, headers, status });

/** @param {import("../scripts/world.mjs").World} world @param {string} etag */
function duels({ worker }, etag) {
  const range = { range: "bytes=100000-165535" };
  const ours = worker + RENDITION;
  return [
    { name: "edge hit", floor: reading(`${worker}/floor/edge`), ours: reading(ours) },
    { name: "KV hit, around the edge", floor: reading(`${worker}/floor/kv`), ours: reading(`${ours}&no-edge-cache`) },
    { name: "64 KiB range, edge hit", floor: reading(`${worker}/floor/edge`, range, 206), ours: reading(ours, range, 206) },
    {
      name: "304, edge hit",
      floor: reading(`${worker}/floor/304`, {}, 304),
      ours: reading(ours, { "if-none-match": etag }, 304),
    },
  ];
}

/**
 * The first byte of a dripping transform, from the transformer itself and through a cold miss, in turns.
 *
 * @param {import("../scripts/world.mjs").World} world
 */
async function coldMisses(world) {
  const direct = `${world.media}/cdn-cgi/media/mode=video,width=320,height=180/${world.media}${SAMPLE}`;
  const cold = `${world.worker}${RENDITION}&nocache`;
  const withdraw = await order(world, "transform", SAMPLE, { kind: "drip", ms: DRIP_MS, pieces: 20 });
  /** @type {{ direct: number[], cold: number[], whole: number[] }} */
  const times = { direct: [], cold: [], whole: [] };
  for (let run = 0; run < COLD_RUNS; run += 1) {
    times.direct.push((await watch(direct)).firstByteMs);
    const missed = await watch(cold);
    times.cold.push(missed.firstByteMs);
    times.whole.push(missed.wholeMs);
  }
  await withdraw();
  const { direct: d, cold: c, whole: w } = times;
  return { direct: quantile(d, 0.5), cold: quantile(c, 0.5), whole: quantile(w, 0.5) };
}

/** @param {number} value */
const ms = (value) => value.toFixed(value < 10 ? 2 : 1);

const world = await startWorld({
  around: window(FLOOR),
  config: { bypass: { access: "open" }, log: { level: "error" } },
});
/** @type {string[]} */
const lines = [];
try {
  const made = await ask(world.worker + RENDITION);
  await eventually(async () => tierOf(await ask(`${world.worker}${RENDITION}&no-edge-cache`)) === "kv", "KV has it");
  await eventually(async () => tierOf(await ask(world.worker + RENDITION)) === "edge", "the edge has it");
  await ask(`${world.worker}/floor/rendition`, { method: "PUT", body: made.body });
  const before = await wasmBytes(world);

  lines.push(
    machine(),
    `Method: a rendition of ${made.body.length} bytes in workerd under Miniflare, logs off; floor and worker in the same isolate, in turns,`,
    `${ROUNDS} rounds of ${ROUND_MS} ms each; requests/s is the median round, p50 and p99 are over all rounds.`,
    "The floor is a bare `cache.match` (or `getWithMetadata` as a stream) that is returned as it comes.",
    "",
    "| case | connections | floor req/s | ours req/s | ratio | floor p50 / p99 ms | ours p50 / p99 ms |",
    "|---|---|---|---|---|---|---|",
  );
  for (const { name, floor, ours } of duels(world, made.headers.etag)) {
    for (const connections of CONNECTIONS) {
      const [least, us] = await duel(floor, ours, connections);
      lines.push(
        `| ${name} | ${connections} | ${least.perSecond.toFixed(0)} | ${us.perSecond.toFixed(0)} | ${(us.perSecond / least.perSecond).toFixed(2)}` +
          ` | ${ms(least.p50)} / ${ms(least.p99)} | ${ms(us.p50)} / ${ms(us.p99)} |`,
      );
      console.log(lines.at(-1));
    }
  }
  const { direct, cold, whole } = await coldMisses(world);
  lines.push(
    "",
    `First byte of a transform that drips for ${DRIP_MS} ms, median of ${COLD_RUNS}: ${ms(direct)} ms from the transformer,`,
    `${ms(cold)} ms through a cold miss that fills both tiers, which ends after ${ms(whole)} ms.`,
    "",
    `Wasm linear memory: ${before} bytes before the first of these requests, ${await wasmBytes(world)} after the last.`,
  );
} finally {
  await world.stop();
}

record(REPORT, "npm run bench:tiers", lines);
console.log(lines.slice(-4).join("\n"));
