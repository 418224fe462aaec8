// `npm run size`: what the worker weighs beside what it may, and what in it weighs most.

import { script } from "./process.mjs";
import { buildWorker } from "./worker-build.mjs";
import { BUDGET, crates, sections, weigh } from "./worker-size.mjs";

const CRATES_SHOWN = 15;

/** @param {string[]} heads @param {(string | number)[][]} rows the first cell of each is a word, the others are numbers */
function table(heads, rows) {
  const cells = [heads, ...rows].map((row) => row.map((cell) => (typeof cell === "number" ? cell.toLocaleString("en") : cell)));
  const widths = heads.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  const lines = cells.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join("  "),
  );
  console.log(`\n${lines.join("\n")}`);
}

await script(async () => {
  await buildWorker();
  const weights = Object.entries(weigh());
  table(
    ["bytes", "raw", "of", "gzip", "of"],
    weights.map(([part, { raw, gzip }]) => {
      const budget = BUDGET[/** @type {keyof typeof BUDGET} */ (part)];
      return [part, raw, budget.raw, gzip, budget.gzip];
    }),
  );
  table(["section of the wasm", "raw", "gzip"], sections().map(({ name, weight }) => [name, weight.raw, weight.gzip]));
  const byCrate = crates();
  if (byCrate) table(["code by crate, before wasm-opt", "raw"], byCrate.slice(0, CRATES_SHOWN));
});
