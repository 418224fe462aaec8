// How commands are called: their options are read, and their help is written, from one and the same description.

import { parseArgs } from "node:util";
import { EXIT_CODES, misuse } from "./ending.mjs";

/** Name of the program. */
export const PROGRAM = "video-resizer";

/**
 * @typedef {object} Option
 * @property {"string" | "boolean"} type
 * @property {string} does what it does, as a phrase
 * @property {string} [value] what stands for its value in the help
 * @property {boolean} [multiple] whether it may be given more than once
 * @property {string} [short]
 */

/**
 * @typedef {object} Command
 * @property {string} name
 * @property {string} does what it does, as a sentence
 * @property {string[]} usage how it is called, without the program's name
 * @property {string[]} [says] what else is to know, a paragraph each
 * @property {Record<string, Option>} [options] its own
 * @property {"api" | "local"} [kind] whether it talks to the API; a command with `run` has one
 * @property {[number, number]} [operands] how many it takes
 * @property {[string, string][]} [examples] a line of shell, and what it does
 * @property {Command[]} [commands] what its first operand may name
 * @property {(call: import("./call.mjs").Call) => Promise<number>} [run] returns the exit code
 */

/** @type {Record<string, Option>} */
const EVERYWHERE = {
  help: { type: "boolean", short: "h", does: "print this" },
};

/** What every command that talks to the API understands. @type {Record<string, Option>} */
const OF_THE_API = {
  at: { type: "string", value: "<url>", does: "where the worker is; with a path, that is the API's prefix" },
  "token-file": { type: "string", value: "<file>", does: "read the token from a file" },
  insecure: { type: "boolean", does: "send the token over http:// to another machine too" },
  timeout: { type: "string", value: "<time>", does: "give up a call after this long, its retries included [30s]" },
  json: { type: "boolean", does: "print JSON, as the API gives it" },
};

/** @type {[string, string][]} */
const ENVIRONMENT = [
  ["VIDEO_RESIZER_URL", "what --at says when it is not given"],
  ["VIDEO_RESIZER_TOKEN", "the token; never an argument, where others would see it"],
  ["VIDEO_RESIZER_BY", "who --by says when it is not given; else USER"],
  ["NO_COLOR", "no colours on a terminal either"],
];

/** @param {Command} command @returns {Record<string, Option>} */
export const optionsOf = ({ options = {}, kind }) => ({
  ...options,
  ...(kind === "api" ? OF_THE_API : {}),
  ...EVERYWHERE,
});

/**
 * The command that arguments name, and the arguments that are left for it.
 *
 * @param {Command} root
 * @param {string[]} args
 * @returns {{ path: Command[], rest: string[] }}
 */
export function find(root, args) {
  const path = [root];
  let rest = args;
  for (;;) {
    const inside = path[path.length - 1].commands?.find(({ name }) => name === rest[0]);
    if (!inside) return { path, rest };
    path.push(inside);
    rest = rest.slice(1);
  }
}

/**
 * Reads the arguments of a command. Fails on whatever it does not know, and on what is given twice.
 *
 * @param {Command} command
 * @param {string[]} args
 * @returns {{ values: Record<string, any>, operands: string[] }}
 */
export function read(command, args) {
  const options = optionsOf(command);
  const parsed = parsedOrMisused(args, options);
  const given = new Set();
  for (const token of parsed.tokens ?? []) {
    if (token.kind !== "option" || options[token.name].multiple) continue;
    if (given.has(token.name)) throw misuse(`--${token.name} is given twice`);
    given.add(token.name);
  }
  const operands = parsed.positionals;
  if (parsed.values.help || parsed.values.version) return { values: parsed.values, operands };
  if (!command.run) {
    const names = (command.commands ?? []).map(({ name }) => name).join(", ");
    throw misuse(
      operands.length > 0 ? `there is no command "${operands[0]}"; there are ${names}` : `say which: ${names}`,
    );
  }
  const [min, max] = command.operands ?? [0, 0];
  if (operands.length < min) throw misuse(`something is missing: ${command.usage.join(" or ")}`);
  if (operands.length > max) throw misuse(`"${operands[max]}" is too much: ${command.usage.join(" or ")}`);
  return { values: parsed.values, operands };
}

/** @param {string[]} args @param {Record<string, Option>} options */
function parsedOrMisused(args, options) {
  try {
    const known = Object.entries(options).map(([name, { type, multiple, short }]) => [
      name,
      { type, ...(multiple ? { multiple } : {}), ...(short ? { short } : {}) },
    ]);
    return parseArgs({ args, options: Object.fromEntries(known), allowPositionals: true, tokens: true });
  } catch (error) {
    // Its second sentence is advice about arguments that begin with a dash.
    const [first] = /** @type {Error} */ (error).message.split(/\.\s/);
    throw misuse(/'--(token|key)'/.test(first) ? `${first}: a secret is never an argument` : first);
  }
}

/**
 * @param {Command[]} path from the root to the command
 * @returns {string}
 */
export function help(path) {
  const command = path[path.length - 1];
  const names = path.slice(1).map(({ name }) => name);
  const parts = [
    command.does,
    section(
      "Usage",
      command.usage.map((usage) => `  ${PROGRAM} ${usage}`),
    ),
    ...(command.says ?? []),
  ];
  if (command.commands) {
    const below = command.commands.map(
      ({ name, does }) => /** @type {[string, string]} */ ([[...names, name].join(" "), does]),
    );
    parts.push(section("Commands", pairs(below)));
  }
  const options = Object.entries(optionsOf(command)).map(([name, { short, value, does, multiple }]) => {
    const left = `${short ? `-${short}, ` : ""}--${name}${value ? ` ${value}` : ""}${multiple ? "..." : ""}`;
    return /** @type {[string, string]} */ ([left, does]);
  });
  parts.push(section("Options", pairs(options)));
  const examples = (command.examples ?? []).flatMap(([call, why]) => [`  # ${why}`, `  ${call}`]);
  if (examples.length > 0) parts.push(section("Examples", examples));
  if (path.length === 1) {
    parts.push(section("Environment", pairs(ENVIRONMENT)));
    parts.push(section("Exit codes", pairs(EXIT_CODES.map(([code, what]) => [String(code), what]))));
    parts.push(`Each command has its own help: ${PROGRAM} purge --help`);
  }
  return `${parts.join("\n\n")}\n`;
}

/** @param {string} title @param {string[]} lines */
const section = (title, lines) => `${title}:\n${lines.join("\n")}`;

/** @param {[string, string][]} rows @returns {string[]} */
function pairs(rows) {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
