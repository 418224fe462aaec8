// The worker's build: Rust to wasm to a module in build/ that wrangler uploads as it is.

import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { CARGO_WASM, fromRoot, MEDIA_ORIGIN, WASM_TARGET, WORKER_DIR, WORKSPACE } from "./layout.mjs";
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

/** The modules of ours that run beside the wasm: what the platform starts, and what wasm asks of the platform. */
const SCRIPTS = fromRoot("src", "worker", "js");

/** What workerd has and rustc or wasm-bindgen use; wasm-opt writes nothing that needs more. */
const WASM_FEATURES = [
  "mutable-globals",
  "sign-ext",
  "nontrapping-float-to-int",
  "bulk-memory",
  "multivalue",
  "reference-types",
  "exception-handling",
];

/**
 * The standard library is compiled along, for size, and a panic ends the instance without a word. Half of what it would
 * say, and all the code that says it, is in places that no input reaches; it was a seventh of the wasm (docs/decisions/0020).
 * Stable Rust does this only when it is told that it may.
 */
const WITHOUT_PANIC_TEXTS = {
  args: ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"],
  env: { RUSTC_BOOTSTRAP: "1", RUSTFLAGS: "-Zunstable-options -Cpanic=immediate-abort" },
};

/**
 * For size; then like beside like, for gzip sees 32 KiB at a time; then without the names.
 * A function with one caller only stays one where it is more than a few instructions: inlined it is smaller by what a call
 * is, and no longer like any other, which costs gzip much more. What a load or store says of its alignment is a hint
 * that engines pass over, and the same everywhere once it says nothing.
 */
const WASM_OPT = [
  "-Oz",
  "--one-caller-inline-max-function-size=10",
  "--dealign",
  "--reorder-functions-by-name",
  "--strip-debug",
  "--strip-producers",
];

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
  await compile(tools.wasmBindgen);
  writeFileSync(STAMP, inputs);
  console.log(`build: the worker is built: ${sizeLine()}`);
}

/**
 * Rust to wasm, wasm to what JavaScript can call, and both to one module and its wasm.
 *
 * @param {string} wasmBindgen its path
 */
async function compile(wasmBindgen) {
  const failure = "the worker does not build: see the message above";
  const options = { cwd: fromRoot(), failure };
  const cargo = ["build", "--release", "--lib", "--target", WASM_TARGET, ...WITHOUT_PANIC_TEXTS.args];
  await run("cargo", cargo, { ...options, env: WITHOUT_PANIC_TEXTS.env });

  // What is there is whole until what takes its place is.
  const stage = path.join(WORKER_DIR, ".stage");
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  // The two flags let a wasm instance that a panic has ended be followed by another.
  const flags = ["--experimental-reset-state-function", "--force-enable-abort-handler"];
  const target = ["--target", "module", "--no-typescript", "--out-dir", stage, "--out-name", "index"];
  await run(wasmBindgen, [...target, ...flags, CARGO_WASM], options);
  const features = WASM_FEATURES.map((feature) => `--enable-${feature}`);
  await run("wasm-opt", [...features, ...WASM_OPT, path.join(stage, "index_bg.wasm"), "-o", path.join(stage, "small.wasm")], options);

  cpSync(SCRIPTS, stage, { recursive: true });
  const entry = path.join(stage, "entry.js");
  // esbuild does not know source-phase imports yet; workerd makes a module of an imported wasm by itself.
  const glue = path.join(stage, "index.js");
  writeFileSync(glue, readFileSync(glue, "utf8").replace("import source ", "import "));
  const bundle = ["--bundle", "--format=esm", "--minify", "--log-level=error"];
  const external = ["--external:./index_bg.wasm", "--external:cloudflare:*"];
  await run("esbuild", [entry, ...bundle, ...external, `--outfile=${path.join(stage, "small.js")}`], options);
  renameSync(path.join(stage, "small.wasm"), WASM);
  renameSync(path.join(stage, "small.js"), MODULE);
  rmSync(stage, { recursive: true });
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
