// What a cold start costs above a bare worker: isolates made on demand by the platform's own loader, in one workerd and
// in turns, from the moment an isolate is asked for to the end of its first answer.
//
// Usage: npm run bench:start [-- --print] [--rounds=25]; under a minute
// Without --print it writes its part of docs/performance.md, and fails where the target is not held.

import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { fromRoot } from "../scripts/layout.mjs";
import { Failure, script } from "../scripts/process.mjs";
import { built, deployed } from "./contenders.mjs";
import { machine, quantile, record } from "./report.mjs";

const PAGE = fromRoot("docs", "performance.md");

/** How much longer than a bare worker one may take that has the product instantiated. */
const TARGET_MS = 15;

/** These rounds come first, for the loader and the client, and are not counted. */
const WARM_UP_ROUNDS = 2;

const { values: chosen } = parseArgs({
  options: { print: { type: "boolean", default: false }, rounds: { type: "string", default: "25" } },
});
const rounds = Number(chosen.rounds);

const CODES = [
  { code: "new", what: "new to the process" },
  { code: "known", what: "known to it: another isolate has it" },
];

/** The steps of bench/loader-worker.mjs. */
const STEPS = [
  { step: "bare", what: "a bare worker" },
  { step: "carried", what: "with the wasm beside it as data" },
  { step: "compiled", what: "with it as a module: compiled, as far as V8 does that before a call" },
  { step: "instantiated", what: "with the product's script: instantiated" },
  { step: "product", what: "the product: its configuration read, its first request refused" },
];

function startLoader() {
  const { compatibilityDate, compatibilityFlags } = deployed();
  const code = built();
  const root = fromRoot("bench");
  const module = (/** @type {"ESModule" | "Text" | "Data"} */ type, /** @type {string} */ name, /** @type {any} */ contents) =>
    ({ type, path: path.join(root, name), contents });
  return new Miniflare(
    convertV4MiniflareOptions({
      name: "loader",
      compatibilityDate,
      bindings: { DAY: { compatibilityDate, compatibilityFlags } },
      modulesRoot: root,
      modules: [
        module("ESModule", "loader-worker.mjs", readFileSync(path.join(root, "loader-worker.mjs"), "utf8")),
        module("Text", "script.txt", code.script),
        module("Data", "wasm.bin", code.wasm),
      ],
      workerLoaders: { LOADER: {} },
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
      cf: false, // would be fetched from the network
      log: new Log(LogLevel.ERROR),
      handleStructuredLogs: () => {},
    }),
  );
}

/** @param {string} url */
async function startMs(url) {
  const began = performance.now();
  const answer = await fetch(url);
  const ms = performance.now() - began;
  if (answer.status !== 204) throw new Error(`the first answer of ${url} was not what it should be`);
  return ms;
}

/** Milliseconds of each step of each code, round by round. @param {string} url */
async function measured(url) {
  /** @type {Record<string, Record<string, number>[]>} */
  const seen = { new: [], known: [] };
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    for (const { code } of CODES) {
      /** @type {Record<string, number>} */
      const ms = {};
      for (const { step } of STEPS) ms[step] = await startMs(`${url}/${code}/${step}`);
      if (round >= 0) seen[code].push(ms);
    }
  }
  return seen;
}

const cells = (/** @type {unknown[]} */ values) => `| ${values.join(" | ")} |`;
const spread = (/** @type {number[]} */ values) => {
  const [median, low, high] = [0.5, 0.1, 0.9].map((share) => quantile(values, share).toFixed(1));
  return `${median} (${low} to ${high})`;
};

await script(async () => {
  const on = machine();
  const miniflare = startLoader();
  const seen = await miniflare
    .unsafeGetDirectURL("loader")
    .then(({ origin }) => measured(origin))
    .finally(() => miniflare.dispose());
  const over = (/** @type {string} */ code, /** @type {string} */ step) => seen[code].map((ms) => ms[step] - ms.bare);
  const overMs = quantile(over("new", "instantiated"), 0.5);
  const lines = [
    on,
    `Method: ${rounds} rounds, each of one new isolate of every kind, made by workerd's own Worker Loader; milliseconds from the order to the end of the first answer.`,
    "What is over the bare worker is the difference within a round; in parentheses the first and the last tenth.",
    "V8 compiles the same bytes once a process, so new code has a section of its own in each isolate. An isolate of the loader has no tiers: its first request is one that is refused before any is asked.",
    "",
    "| code | what is loaded | ms | over the bare worker, ms |",
    "|---|---|---|---|",
    ...CODES.flatMap(({ code, what: known }) =>
      STEPS.map(({ step, what }) => cells([known, what, spread(seen[code].map((ms) => ms[step])), step === "bare" ? "" : spread(over(code, step))])),
    ),
    "",
    `Target: new code instantiated at most ${TARGET_MS} ms over the bare worker. ${overMs <= TARGET_MS ? "Held" : "Not held"}: ${overMs.toFixed(1)} ms.`,
  ];
  console.log(lines.join("\n"));
  if (chosen.print) return;
  record(PAGE, "npm run bench:start", lines);
  if (overMs > TARGET_MS) throw new Failure("the target is not held.");
});
