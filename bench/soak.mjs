// Whether memory is flat: as many as 100,000 requests of every kind, and what the product's wasm, its JavaScript heap
// and the process hold meanwhile. The floor has the same requests after it, in a process of its own: what that grows
// by is the platform's.
//
// Usage: npm run bench:soak [-- --print] [--requests=100000] [--seconds=300]; the bounds are for each of the two
// Without --print it writes its part of docs/performance.md and the plot beside it. It fails where something grows.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { fromRoot } from "../scripts/layout.mjs";
import { Failure, script } from "../scripts/process.mjs";
import { openHeap } from "./heap.mjs";
import { unheard, wrk } from "./load.mjs";
import { plot } from "./plot.mjs";
import { residentMib } from "./process.mjs";
import { machine, record } from "./report.mjs";
import { fill, openStage, pathOf, QUERY } from "./stage.mjs";

const PAGE = fromRoot("docs", "performance.md");
const BYTES = 20_000;

/** While it warms up it has more requests at a time than afterwards, so that memory for them all is there. */
const CONNECTIONS = { warming: 32, warm: 8 };

/** It is warm after so much of the requests or of the time. */
const WARM_UP = 1 / 3;

/** Memory is looked at after so long, again and again. */
const SLICE_S = 2;

/** By how much the second half of what comes then may be over the first; of resident memory, how much more than the floor's is. */
const GROWTH_MAX = { wasmBytes: 0, heapKib: 128, residentShare: 0.05 };

const { values: chosen } = parseArgs({
  options: {
    print: { type: "boolean", default: false },
    requests: { type: "string", default: "100000" },
    seconds: { type: "string", default: "300" },
  },
});
const seconds = Number(chosen.seconds);

/**
 * Requests in turns: half are whole hits at the edge, the rest are ranges, 304s, hits in KV, refusals and misses.
 *
 * @param {"product" | "floor"} who
 * @param {string} tag
 */
function mix(who, tag) {
  const [query, more] = who === "product" ? [QUERY, "&"] : ["", "?"];
  const whole = `${pathOf(BYTES)}${query}`;
  const kinds = [
    `${whole}\nRange: bytes=1000-9999`,
    `${whole}\nIf-None-Match: ${tag}`,
    `${whole}${more}no-edge-cache`,
    `${whole}\nRange: bytes=-500`,
    who === "product" ? `${pathOf(BYTES)}?width=0` : whole,
    `${whole}\nIf-None-Match: ${tag}`,
    `${whole}${more}no-edge-cache`,
    `${whole}\nRange: bytes=0-`,
    who === "product" ? `${whole}&nonsense=%zz&width=1x` : whole,
    `/${unheard()}#/${BYTES}.mp4${query}`,
  ];
  return kinds.flatMap((kind) => [kind, whole]);
}

/**
 * @typedef {object} Sample
 * @property {number} requests so far
 * @property {"warming" | "warm"} state
 * @property {number} wasmBytes
 * @property {number} heapKib what lives after a collection
 * @property {number} residentMib
 */

/** @param {"product" | "floor"} who @param {number} enough requests */
async function soak(who, enough) {
  const stage = await openStage({ heap: "shown" });
  const heap = await openHeap(await stage.inspector());
  try {
    const tags = await fill(stage, BYTES);
    const url = who === "product" ? stage.product : stage.floor.miss;
    /** @type {Sample[]} */
    const samples = [];
    /** @type {Record<string, number>} */
    const statuses = {};
    const began = performance.now();
    const passed = () => (performance.now() - began) / 1000 / seconds;
    for (let requests = 0; requests < enough && passed() < 1; ) {
      const state = Math.max(requests / enough, passed()) < WARM_UP ? "warming" : "warm";
      const { other, broken, ...counts } = await wrk("mix.lua", { url, connections: CONNECTIONS[state], seconds: SLICE_S }, mix(who, tags[who]));
      if (other > 0 || broken > 0) throw new Error(`${other} answers of ${who} had another status than they should, ${broken} were broken`);
      for (const [status, count] of Object.entries(counts)) statuses[status] = (statuses[status] ?? 0) + count;
      requests = Object.values(statuses).reduce((sum, count) => sum + count);
      const wasmBytes = await stage.wasmBytes(); // collects garbage
      samples.push({ requests, state, wasmBytes, heapKib: (await heap.usedBytes()) / 1024, residentMib: residentMib(stage.pid) });
      console.log(who, JSON.stringify(samples.at(-1)));
    }
    return { samples, statuses };
  } finally {
    heap.close();
    await stage.stop();
  }
}

const mean = (/** @type {number[]} */ values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const most = (/** @type {number[]} */ values) => Math.max(...values);

/**
 * Of what was seen once it was warm, the first half of the requests and the second.
 *
 * @param {Sample[]} samples
 * @param {"wasmBytes" | "heapKib" | "residentMib"} what
 * @param {(values: number[]) => number} of
 */
function halves(samples, what, of) {
  const warm = samples.filter(({ state }) => state === "warm");
  const half = ((warm[0]?.requests ?? 0) + (warm.at(-1)?.requests ?? 0)) / 2;
  const values = (/** @type {Sample[]} */ some) => of(some.map((sample) => sample[what]));
  return { first: values(warm.filter(({ requests }) => requests <= half)), second: values(warm.filter(({ requests }) => requests > half)) };
}

const cells = (/** @type {unknown[]} */ values) => `| ${values.join(" | ")} |`;

await script(async () => {
  const on = machine();
  const product = await soak("product", Number(chosen.requests));
  const floor = await soak("floor", product.samples.at(-1)?.requests ?? 0);
  const wasm = halves(product.samples, "wasmBytes", most);
  const heap = halves(product.samples, "heapKib", mean);
  const [resident, least] = [product, floor].map(({ samples }) => halves(samples, "residentMib", mean));
  const share = (/** @type {{ first: number, second: number }} */ { first, second }) => second / first - 1;
  const percent = (/** @type {number} */ value) => `${(value * 100).toFixed(1)} %`;
  const grown = [
    wasm.second - wasm.first > GROWTH_MAX.wasmBytes && "wasm memory",
    heap.second - heap.first > GROWTH_MAX.heapKib && "the JavaScript heap",
    share(resident) - share(least) > GROWTH_MAX.residentShare && "resident memory",
  ].filter(Boolean);
  const counts = Object.entries(product.statuses).map(([status, count]) => `${count} × ${status}`).join(", ");
  const lines = [
    on,
    `Method: ${product.samples.at(-1)?.requests} requests for a body of ${BYTES} bytes: ${counts}.`,
    "They are hits at the edge and in KV, ranges, 304s, refusals, and one miss in twenty; memory is looked at every two seconds.",
    `The first third is warm-up, over ${CONNECTIONS.warming} connections; what comes then, over ${CONNECTIONS.warm}, is compared in halves: the most of wasm memory, the means of the rest.`,
    "What lives on the JavaScript heap is read after a collection.",
    "The process holds the platform's simulation with all that was kept, and V8 lets garbage lie where the machine has room, so resident memory grows for whoever is asked:",
    `the floor had ${floor.samples.at(-1)?.requests} requests of the same kinds, without the refusals, in a process of its own.`,
    "",
    "| | first half | second half | growth | at most |",
    "|---|---|---|---|---|",
    cells(["the product's wasm memory, bytes", wasm.first.toFixed(0), wasm.second.toFixed(0), (wasm.second - wasm.first).toFixed(0), GROWTH_MAX.wasmBytes]),
    cells(["its JavaScript heap, KiB", heap.first.toFixed(0), heap.second.toFixed(0), (heap.second - heap.first).toFixed(0), GROWTH_MAX.heapKib]),
    cells(["the process, resident MiB", resident.first.toFixed(0), resident.second.toFixed(0), percent(share(resident)), `the floor's and ${percent(GROWTH_MAX.residentShare)}`]),
    cells(["the floor's process, resident MiB", least.first.toFixed(0), least.second.toFixed(0), percent(share(least)), ""]),
    "",
    grown.length === 0 ? "Nothing grows." : `Grown: ${grown.join(", ")}.`,
  ];
  console.log(lines.join("\n"));
  if (!chosen.print) {
    const course = (/** @type {Sample[]} */ samples) =>
      samples.map(({ requests, residentMib }) => /** @type {[number, number]} */ ([requests / 1000, residentMib]));
    const series = [{ name: "product", points: course(product.samples) }, { name: "floor", points: course(floor.samples) }];
    const title = "Resident memory of workerd over a soak";
    writeFileSync(fromRoot("docs", "performance-soak.svg"), plot({ title, x: { label: "thousand requests" }, y: { label: "MiB" }, series }));
    record(PAGE, "npm run bench:soak", [...lines, "", `![${title}](performance-soak.svg)`]);
  }
  if (grown.length > 0) throw new Failure(`grown: ${grown.join(", ")}.`);
});
