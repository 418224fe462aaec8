// What the built worker weighs, what it may weigh, and what in it weighs most.

import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { CARGO_WASM, WORKER_DIR } from "./layout.mjs";
import { Failure } from "./process.mjs";

export const MODULE = path.join(WORKER_DIR, "index.js");
export const WASM = path.join(WORKER_DIR, "index_bg.wasm");

/**
 * Bytes that the worker may have at the most; `npm run check` holds it to them.
 * Cloudflare's limit is on what is compressed, and every isolate compiles what is not before its first answer.
 *
 * @type {Record<"wasm" | "script" | "together", Weight>}
 */
export const BUDGET = {
  wasm: { raw: 948_000, gzip: 380_000 },
  script: { raw: 30_500, gzip: 7_700 },
  together: { raw: 978_000, gzip: 388_000 },
};

/**
 * @typedef {object} Weight
 * @property {number} raw bytes
 * @property {number} gzip bytes when compressed
 */

/** @param {Buffer} bytes @returns {Weight} */
const weightOf = (bytes) => ({ raw: bytes.length, gzip: gzipSync(bytes).length });

/** @returns {Record<"wasm" | "script" | "together", Weight>} */
export function weigh() {
  const [wasm, script] = [weightOf(readFileSync(WASM)), weightOf(readFileSync(MODULE))];
  return { wasm, script, together: { raw: wasm.raw + script.raw, gzip: wasm.gzip + script.gzip } };
}

/** @param {number} bytes */
const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;

/** What an upload weighs, in words. */
export function sizeLine() {
  const { wasm, script, together } = weigh();
  return `wasm ${kib(wasm.raw)}, script ${kib(script.raw)}, together ${kib(together.gzip)} gzipped`;
}

/** Fails where something weighs more than it may. */
export function holdBudget() {
  const over = Object.entries(weigh()).flatMap(([part, { raw, gzip }]) => {
    const budget = BUDGET[/** @type {keyof typeof BUDGET} */ (part)];
    return [...excess(`${part} (raw)`, raw, budget.raw), ...excess(`${part} (gzip)`, gzip, budget.gzip)];
  });
  if (over.length === 0) return;
  throw new Failure(
    `the worker weighs too much: ${over.join("; ")}. ` +
      'See what in it does with "npm run size", and compare with an older commit; ' +
      "what is worth its weight is paid for in BUDGET of scripts/worker-size.mjs.",
  );
}

/** @param {string} what @param {number} bytes @param {number} max */
function excess(what, bytes, max) {
  if (bytes <= max) return [];
  return [`${what} is ${(bytes - max).toLocaleString("en")} bytes over its budget of ${max.toLocaleString("en")}`];
}

const SECTIONS = [
  ...["custom", "type", "import", "function", "table", "memory", "global", "export", "start", "element", "code", "data"],
  ...["data count", "tag"],
];

/** Reads WebAssembly's own numbers and texts, one after the other. */
class Reader {
  /** @param {Buffer} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  get isAtEnd() {
    return this.at >= this.bytes.length;
  }

  byte() {
    this.at += 1;
    return this.bytes[this.at - 1];
  }

  /** LEB128, unsigned. */
  number() {
    for (let [value, unit] = [0, 1]; ; unit *= 128) {
      const byte = this.byte();
      value += (byte % 128) * unit;
      if (byte < 128) return value;
    }
  }

  /** @param {number} length */
  take(length) {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  /** What stands behind its length. */
  sized() {
    return this.take(this.number());
  }

  text() {
    return this.sized().toString();
  }
}

/** @param {Buffer} wasm @returns {{ name: string, bytes: Buffer }[]} */
function sectionsOf(wasm) {
  const reader = new Reader(wasm);
  reader.take(8); // magic and version
  const sections = [];
  while (!reader.isAtEnd) {
    const id = reader.byte();
    const bytes = reader.sized();
    sections.push({ name: id === 0 ? `custom "${new Reader(bytes).text()}"` : (SECTIONS[id] ?? `section ${id}`), bytes });
  }
  return sections;
}

/** The sections of the built wasm, the largest first. @returns {{ name: string, weight: Weight }[]} */
export function sections() {
  return sectionsOf(readFileSync(WASM))
    .map(({ name, bytes }) => ({ name, weight: weightOf(bytes) }))
    .sort((a, b) => b.weight.raw - a.weight.raw);
}

/** The crate that a function comes from, by its mangled name, in the older way or in v0. @param {string} name */
function crateOf(name) {
  const [, length, ident] = name.match(/^_ZN(\d+)(\w.*|\$.*)/) ?? name.match(/^_R.*?C(?:s[\dA-Za-z]*_)?(\d+)_?([a-z_].*)/) ?? [];
  if (ident === undefined) return "(no crate)";
  const first = ident.slice(0, Number(length));
  return first.match(/([a-z]\w*)\.\./)?.[1] ?? first;
}

/**
 * Bytes of code by the crate that they come from, the largest first: before wasm-opt, which removes some of each.
 * `undefined` where cargo has not left its own build.
 *
 * @returns {[string, number][] | undefined}
 */
export function crates() {
  if (!existsSync(CARGO_WASM)) return undefined;
  const all = sectionsOf(readFileSync(CARGO_WASM));
  const section = (/** @type {string} */ name) => new Reader(all.find((it) => it.name === name)?.bytes ?? Buffer.alloc(0));

  // Imported functions are counted first; a module of Rust's imports nothing else.
  const imported = section("import").number();
  /** @type {Map<number, string>} */
  const names = new Map();
  const custom = section('custom "name"');
  for (custom.text(); !custom.isAtEnd; ) {
    const kind = custom.byte();
    const map = new Reader(custom.sized());
    if (kind !== 1) continue;
    for (let left = map.number(); left > 0; left -= 1) names.set(map.number(), map.text());
  }
  /** @type {Map<string, number>} */
  const bytes = new Map();
  const code = section("code");
  const count = code.number();
  for (let index = imported; index < imported + count; index += 1) {
    const crate = crateOf(names.get(index) ?? "");
    bytes.set(crate, (bytes.get(crate) ?? 0) + code.sized().length);
  }
  return [...bytes].sort(([, a], [, b]) => b - a);
}
