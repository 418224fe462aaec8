// What the variant store costs: how long large bodies take into KV and out of it, how much memory, how many
// operations, by the size of a chunk and by how slow KV is; and whether it holds to its limits.
//
// Usage: npm run bench:store [-- <chunks|memory|first-byte>...] [--mib=200]
// It writes its parts of docs/measurements-store.md and the plots beside it, and fails where a limit is not held.

import { writeFileSync } from "node:fs";
import { fromRoot } from "../scripts/layout.mjs";
import { startWorld } from "../scripts/world.mjs";
import { eventually } from "../tests/e2e/ask.mjs";
import { assertExact, read } from "../tests/e2e/reader.mjs";
import { startTransformer } from "../tests/e2e/transformer.mjs";
import { cacheStatus, open } from "../tests/e2e/viewer.mjs";
import { tally, weather, weatherAround } from "../tests/e2e/weather.mjs";
import { startFarKv } from "./far-kv.mjs";
import { idleMib, observed } from "./memory.mjs";
import { plot } from "./plot.mjs";
import { machine, quantile, record } from "./report.mjs";

const MIB = 1024 * 1024;
const PAGE = fromRoot("docs", "measurements-store.md");

/** What the store is held to. */
const LIMIT = { mibOverIdle: 64, wasmGrownBytes: 0, chunksOfARange: 2, chunkedToSingle: 1.5 };

/** @type {string[]} */
const broken = [];

/** @param {keyof typeof LIMIT} name @param {number[]} measured */
function held(name, ...measured) {
  const worst = Math.max(...measured);
  if (!(worst <= LIMIT[name])) broken.push(`${name} is ${worst}, the limit is ${LIMIT[name]}`);
}

const CHUNK_MIB = [1, 2, 4, 8, 16, 24];
const LATENCIES_MS = [0, 150];

/** Of a body that KV takes as one value, and of one that it does not. */
const SINGLE_MIB = 20;
const CHUNKED_MIB = 60;

/** First bytes are measured so often; a body is filled and read so often where its time counts. */
const FIRST_BYTES = 31;
const REPEATS = 3;

/** No fill takes this long, not even of 1 MiB chunks with a slow KV. */
const FILL_MS_MAX = 300_000;

/** How memory is measured. */
const MEMORY = "Memory is the kernel's high-water mark of the workerd process over its idle value; KV is another process, as it is in production.";

/**
 * A world of which only KV is asked: the edge is left alone by every request.
 *
 * @param {Record<string, unknown>} [cache]
 */
async function startStore(cache = {}) {
  const transformer = await startTransformer();
  const kv = await startFarKv();
  const world = await startWorld({
    kvAt: kv.url,
    config: { ...transformer.config, cache: { kvTimeoutMs: 30_000, ...cache }, bypass: { access: "open" }, log: { level: "error" } },
    around: weatherAround(),
  });
  const sky = weather(world);
  const url = (/** @type {string} */ path) => `${world.worker}${path}?width=640&no-edge-cache`;

  /** Seconds until the variant is published, with every byte of the viewer's checked. */
  const fill = async (/** @type {string} */ path, /** @type {number} */ total) => {
    await sky.forget();
    const began = Date.now();
    assertExact(await read(url(path)), { total });
    const put = await eventually(
      async () => (await sky.operations()).find(({ on, key, ended }) => on === "kv.put" && key.startsWith("video:") && ended),
      `${path} in KV`,
      FILL_MS_MAX,
    );
    if (put.outcome !== "done") throw new Error(`${path} was not published: ${put.outcome}`);
    await sky.settled();
    return (Number(put.ended) - began) / 1000;
  };

  // Whatever code and memory any request needs, these have had.
  for (const path of ["/videos/warm/1024.mp4", `/videos/warm/${MIB}.mp4`]) {
    await fill(path, Number(path.match(/\d+(?=\.)/)));
    await timed(url(path));
    await timed(url(path), "bytes=10-19");
  }
  return {
    ...world,
    sky,
    url,
    fill,
    /** What KV was asked since `sky.forget`, the configuration aside. */
    asked: async () => tally((await sky.settled()).filter(({ on }) => on.startsWith("kv."))),
    stop: async () => {
      transformer.stop();
      await world.stop();
      kv.stop();
    },
  };
}

/**
 * Reads an answer from KV and keeps nothing of it: unlike a check of every byte, it costs the machine little.
 *
 * @param {string} url
 * @param {string} [range]
 */
async function timed(url, range) {
  const began = performance.now();
  const response = await open(url, { headers: range ? { range } : {} });
  let [bytes, firstByteMs] = [0, 0];
  for await (const piece of response) {
    firstByteMs ||= performance.now() - began;
    bytes += piece.length;
  }
  const tier = cacheStatus(response).kv;
  if (tier !== "hit") throw new Error(`${url} was no hit, but ${tier}`);
  return { bytes, firstByteMs, s: (performance.now() - began) / 1000 };
}

/** @param {number} times @param {() => Promise<number>} measure */
async function repeated(times, measure) {
  /** @type {number[]} */
  const values = [];
  for (let time = 0; time < times; time += 1) values.push(await measure());
  return values;
}

const median = (/** @type {number[]} */ values) => quantile(values, 0.5);
const fixed = (/** @type {number} */ value, digits = 1) => value.toFixed(digits);
const spread = (/** @type {number[]} */ values) =>
  `${fixed(median(values))} (${fixed(quantile(values, 0.1))} to ${fixed(quantile(values, 0.9))})`;
const operations = (/** @type {Record<string, number>} */ counts) =>
  Object.entries(counts).map(([name, count]) => `${count} × \`${name.replace("kv.", "")}\``).join(", ") || "none";
const middle = (/** @type {number} */ total) => `bytes=${total / 2}-${total / 2 + 1023}`;

/** The sizes of chunks beside each other. @param {number} total */
async function chunks(total) {
  const lines = [
    machine(),
    `Method: a body of ${total / MIB} MiB, edge left alone, in workerd under Miniflare; every operation of KV is late by as much as is said. A size has a process of its own: its second row comes after its first.`,
    `Fill is from the request to the publication of the variant; fill and read are the median of ${REPEATS}, the first byte and the range of ${FIRST_BYTES}, with the first and the last tenth.`,
    MEMORY,
    "",
    "| chunk MiB | KV late by ms | fill s | read s | first byte ms | 1 KiB in the middle ms | KV operations: fill | read | range | MiB over idle: fill | read |",
    "|---|---|---|---|---|---|---|---|---|---|---|",
  ];
  /** @type {Record<string, [number, number][]>} */
  const course = {};
  for (const chunkMib of CHUNK_MIB) {
    const store = await startStore({ chunkBytes: chunkMib * MIB });
    try {
      const idle = await idleMib();
      for (const late of LATENCIES_MS) {
        const { withdraw } = late > 0 ? await store.sky.order({ on: "kv", late }) : { withdraw: async () => {} };
        let fills = 0;
        const path = () => `/videos/late-${late}/${fills}/${total}.mp4`;
        let asked = { fill: {}, read: {}, range: {} };
        const filled = await observed(store, () =>
          repeated(REPEATS, () => {
            fills += 1;
            return store.fill(path(), total);
          }),
        );
        asked.fill = await store.asked();
        await store.sky.forget();
        const once = await observed(store, () => timed(store.url(path())));
        asked.read = await store.asked();
        const reads = [once.result.s, ...(await repeated(REPEATS - 1, async () => (await timed(store.url(path()))).s))];
        await store.sky.forget();
        await timed(store.url(path()), middle(total));
        asked.range = await store.asked();
        const first = await repeated(FIRST_BYTES, async () => (await timed(store.url(path()), "bytes=0-0")).firstByteMs);
        const range = await repeated(FIRST_BYTES, async () => (await timed(store.url(path()), middle(total))).s * 1000);
        await withdraw();
        lines.push(
          `| ${chunkMib} | ${late} | ${fixed(median(filled.result), 2)} | ${fixed(median(reads), 2)} | ${spread(first)} | ${spread(range)}` +
            ` | ${operations(asked.fill)} | ${operations(asked.read)} | ${operations(asked.range)}` +
            ` | ${fixed(filled.peakMib - idle)} | ${fixed(once.peakMib - idle)} |`,
        );
        console.log(lines.at(-1));
        (course[`fill, late by ${late} ms`] ??= []).push([chunkMib, median(filled.result)]);
        (course[`read, late by ${late} ms`] ??= []).push([chunkMib, median(reads)]);
      }
    } finally {
      await store.stop();
    }
  }
  const series = Object.entries(course).map(([name, points]) => ({ name, points }));
  const title = `A body of ${total / MIB} MiB by the size of its chunks`;
  picture("store-chunks", { title, x: { label: "chunk, MiB", at: [0, ...CHUNK_MIB] }, y: { label: "seconds" }, series }, lines);
  return lines;
}

/** Resident memory while a large body is filled and read. @param {number} total */
async function memory(total) {
  const store = await startStore();
  try {
    const path = `/videos/memory/${total}.mp4`;
    const idle = await idleMib();
    const filled = await observed(store, () => store.fill(path, total));
    const fillAsked = await store.asked();
    await idleMib();
    await store.sky.forget();
    const once = await observed(store, () => timed(store.url(path)));
    const readAsked = await store.asked();
    await store.sky.forget();
    await timed(store.url(path), middle(total));
    const rangeAsked = await store.asked();
    const over = { fill: filled.peakMib - idle, read: once.peakMib - idle };
    held("mibOverIdle", over.fill, over.read);
    held("wasmGrownBytes", filled.wasmGrownBytes, once.wasmGrownBytes);
    const touched = Object.entries(rangeAsked).reduce((sum, [name, count]) => sum + (name.endsWith("chunk:") ? count : 0), 0);
    held("chunksOfARange", touched);
    const lines = [
      machine(),
      `Method: a body of ${total / MIB} MiB filled and then read from KV, edge left alone, default configuration, in workerd under Miniflare.`,
      MEMORY,
      "",
      "| | measured | limit |",
      "|---|---|---|",
      `| idle | ${fixed(idle)} MiB resident | |`,
      `| fill in ${fixed(filled.result, 2)} s | ${fixed(over.fill)} MiB over idle | ${LIMIT.mibOverIdle} |`,
      `| read in ${fixed(once.result.s, 2)} s | ${fixed(over.read)} MiB over idle | ${LIMIT.mibOverIdle} |`,
      `| wasm memory | grew by ${filled.wasmGrownBytes} bytes in the fill, by ${once.wasmGrownBytes} in the read | 0 |`,
      `| chunks read for 1 KiB in the middle | ${touched} | ${LIMIT.chunksOfARange} |`,
      `| KV operations | fill: ${operations(fillAsked)}; read: ${operations(readAsked)}; range: ${operations(rangeAsked)} | |`,
    ];
    const series = [{ name: "fill", points: filled.course }, { name: "read", points: once.course }];
    const levels = [{ name: "idle", y: idle }, { name: `idle + ${LIMIT.mibOverIdle} MiB`, y: idle + LIMIT.mibOverIdle }];
    const title = `Resident memory of workerd, a body of ${total / MIB} MiB`;
    picture("store-memory", { title, x: { label: "seconds" }, y: { label: "MiB" }, series, levels }, lines);
    return lines;
  } finally {
    await store.stop();
  }
}

/** The first byte of a chunked hit beside that of a single-value hit, in turns. */
async function firstByte() {
  const store = await startStore();
  try {
    const paths = [SINGLE_MIB, CHUNKED_MIB].map((size) => `/videos/first/${size * MIB}.mp4`);
    for (const path of paths) await store.fill(path, Number(path.match(/\d+(?=\.)/)));
    const lines = [
      machine(),
      `Method: hits in KV, edge left alone, of ${SINGLE_MIB} MiB in one value and of ${CHUNKED_MIB} MiB in chunks, in turns, ${FIRST_BYTES} times each;`,
      "each is read to its end. Median, first and last tenth; the ratio is of the medians.",
      "",
      "| KV late by ms | single value ms | chunked ms | ratio | limit |",
      "|---|---|---|---|---|",
    ];
    for (const late of LATENCIES_MS) {
      const { withdraw } = late > 0 ? await store.sky.order({ on: "kv", late }) : { withdraw: async () => {} };
      /** @type {number[][]} */
      const times = [[], []];
      for (let round = 0; round < FIRST_BYTES; round += 1) {
        for (const [index, path] of paths.entries()) times[index].push((await timed(store.url(path))).firstByteMs);
      }
      await withdraw();
      const [single, chunked] = times;
      const ratio = median(chunked) / median(single);
      held("chunkedToSingle", ratio);
      lines.push(`| ${late} | ${spread(single)} | ${spread(chunked)} | ${fixed(ratio, 2)} | ${LIMIT.chunkedToSingle} |`);
      console.log(lines.at(-1));
    }
    return lines;
  } finally {
    await store.stop();
  }
}

/** @param {string} name @param {Parameters<typeof plot>[0]} chart @param {string[]} lines that show it */
function picture(name, chart, lines) {
  writeFileSync(fromRoot("docs", `${name}.svg`), plot(chart));
  lines.push("", `![${chart.title}](${name}.svg)`);
}

/** @type {Record<string, (total: number) => Promise<string[]>>} */
const BENCHES = { chunks, memory, "first-byte": firstByte };

const words = process.argv.slice(2);
const mib = Number(words.find((word) => word.startsWith("--mib="))?.slice("--mib=".length) ?? 200);
const named = words.filter((word) => !word.startsWith("--"));
for (const name of named.length > 0 ? named : Object.keys(BENCHES)) {
  if (!(name in BENCHES)) throw new Error(`there is no bench ${name}: there are ${Object.keys(BENCHES).join(", ")}`);
  const lines = await BENCHES[name](mib * MIB);
  record(PAGE, `npm run bench:store -- ${name}`, lines);
  console.log(lines.join("\n"));
}
for (const sentence of broken) console.error(sentence);
process.exitCode = broken.length > 0 ? 1 : 0;
