// `npm run check`: formatting, clippy on the host and on wasm32, the docs build; a warning is a failure. Then the built
// worker is held to its budget of bytes.
// Then a short run of the fuzz targets and of the admin API's fuzzer; `npm run fuzz` and `npm run fuzz:api` run longer.

import { fromRoot, WORKSPACE } from "./layout.mjs";
import { run, script } from "./process.mjs";
import { buildTools } from "./setup.mjs";
import { buildWorker } from "./worker-build.mjs";
import { holdBudget } from "./worker-size.mjs";

const WASM = ["--package", "video-resizer", "--lib", "--target", "wasm32-unknown-unknown"];
const DENY = ["--", "-D", "warnings"];
const NO_WARNINGS = { RUSTDOCFLAGS: "-D warnings" };

/** @type {{ what: string, args: string[], env?: Record<string, string> }[]} */
const CHECKS = [
  { what: "formatting", args: ["fmt", "--all", "--check"] },
  // `--locked` also refuses a Cargo.lock that somebody forgot to commit.
  // What the fuzz targets and the benches are made of is linted in tests/seeds.rs and tests/allocations.rs.
  { what: "clippy on the host", args: ["clippy", "--locked", ...WORKSPACE, "--all-targets", ...DENY] },
  { what: "clippy on wasm32", args: ["clippy", ...WASM, ...DENY] },
  { what: "the docs of the host", args: ["doc", ...WORKSPACE, "--no-deps"], env: NO_WARNINGS },
  // The shell exists on wasm32 only, and so do its docs.
  { what: "the docs of wasm32", args: ["doc", ...WASM, "--no-deps"], env: NO_WARNINGS },
];

/** Seconds for each fuzz target: tens of thousands of inputs for the slowest, a million for the fastest. */
const FUZZ_S = 6;

/** Seconds for the admin API: every call's edge cases, and some hundred requests at random. */
const FUZZ_API_S = 45;

await script(async () => {
  await buildTools();
  for (const { what, args, env } of CHECKS) {
    console.log(`check: ${what}`);
    await run("cargo", args, { cwd: fromRoot(), env, failure: `the check of ${what} failed: see above` });
  }
  console.log("check: the size of the worker");
  await buildWorker();
  holdBudget();
  console.log("check: the fuzz targets");
  await run("node", ["scripts/fuzz.mjs", String(FUZZ_S)], { cwd: fromRoot(), failure: "a fuzz target failed: see above" });
  console.log("check: the admin API against its own document");
  await run("node", ["scripts/fuzz-api.mjs", String(FUZZ_API_S)], { cwd: fromRoot(), failure: "the admin API failed: see above" });
});
