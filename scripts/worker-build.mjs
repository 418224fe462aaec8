// The worker's build: Rust to wasm to a module in build/ that wrangler uploads as it is.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fromRoot, MEDIA_ORIGIN, WORKER_DIR, WORKSPACE } from "./layout.mjs";
import { ask, Failure, run } from "./process.mjs";
import { buildTools } from "./setup.mjs";
import { MODULE, sizeLine, WASM } from "./worker-size.mjs";

/** Everything the built worker depends on, beside the compiler. */
const INPUTS = [
  "Cargo.toml",
  "Cargo.lock",
  "rust-toolchain.toml",
  "package-lock.json", // wasm-opt and esbuild
  "scripts/worker-build.mjs",
  "src",
];

const STAMP = path.join(WORKER_DIR, ".inputs");

/** @param {string} name a file or folder inside the repository @returns {string[]} its files, sorted */
function filesOf(name) {
  const at = fromRoot(name);
  if (!existsSync(at)) return [];
  if (!statSync(at).isDirectory()) return [name];
  return readdirSync(at)
    .sort()
    .flatMap((entry) => filesOf(path.join(name, entry)));
}

/** A fingerprint of the inputs by their bytes: a checkout or a touch does not cause a build. */
async function fingerprint() {
  const hash = createHash("sha256");
  hash.update(`${await ask("rustc", ["--version"])}\n`);
  for (const file of INPUTS.flatMap(filesOf)) {
    const bytes = readFileSync(fromRoot(file));
    hash.update(`${file} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest("hex");
}

/**
 * Builds the release worker unless it is up to date, and prints its size when it did.
 * Fails with a sentence when it does not compile.
 */
export async function buildWorker() {
  const tools = await buildTools();
  const inputs = await fingerprint();
  const built = [STAMP, MODULE, WASM].every((file) => existsSync(file));
  if (built && readFileSync(STAMP, "utf8") === inputs) return;

  console.log("build: the worker, for release (a minute or two the first time)");
  await run(tools.workerBuild, ["--release"], {
    cwd: fromRoot(),
    // Without these worker-build would download all three.
    env: {
      WASM_BINDGEN_BIN: tools.wasmBindgen,
      WASM_OPT_BIN: fromRoot("node_modules", ".bin", "wasm-opt"),
      ESBUILD_BIN: fromRoot("node_modules", ".bin", "esbuild"),
    },
    failure: "the worker does not build: see the message above",
  });
  if (![MODULE, WASM].every((file) => existsSync(file))) {
    throw new Failure("worker-build left no build/index.js: its output has another shape than wrangler.jsonc expects.");
  }
  writeFileSync(STAMP, inputs);
  console.log(`build: the worker is built: ${sizeLine()}`);
}

/** Builds the local media origin; cargo itself knows when there is nothing to do. */
export async function buildMediaOrigin() {
  const cold = !existsSync(MEDIA_ORIGIN);
  if (cold) console.log("build: the local media origin (a minute or two the first time)");
  // This resolves features as the `cargo test` of scripts/test.mjs does, so neither rebuilds for the other.
  const args = ["build", ...WORKSPACE, "--bin", "media-origin"];
  await run("cargo", cold ? args : [...args, "--quiet"], {
    cwd: fromRoot(),
    failure: "the local media origin does not build: see the message above",
  });
}
