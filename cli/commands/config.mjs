// `config`: the configuration that is stored, its versions, and another one in its place.

import { changes, told } from "../diff.mjs";
import { DONE, Failure, REFUSED, UNREACHABLE } from "../ending.mjs";
import { all, document, file, number } from "../given.mjs";
import { size, table, visible } from "../output.mjs";

/** What the stored configuration comes with. */
const STORED = ["active", "version", "versions"];

/** @type {Record<string, import("../usage.mjs").Option>} */
const SIGNED = {
  by: { type: "string", value: "<name>", does: "who; kept with the version" },
  note: { type: "string", value: "<text>", does: "why; kept with the version" },
};

/** @type {import("../usage.mjs").Command} */
const get = {
  name: "get",
  kind: "api",
  does: "Print the configuration that is stored; its version goes to standard error.",
  usage: ["config get"],
  examples: [["video-resizer config get > worker-config.json", "to edit it, and put it again"]],
  run: async ({ api, show, out }) => {
    const answer = await api.get("/config", { has: STORED });
    const { active } = answer.json;
    if (active === null) out.note("none is stored: RESIZER_CONFIG of the deployment is active alone");
    else out.note(named(answer.json));
    show(answer, () => (active === null ? "" : JSON.stringify(active, null, 2)));
    return DONE;
  },
};

/** @type {import("../usage.mjs").Command} */
const put = {
  name: "put",
  kind: "api",
  does: "Store a configuration; what changes goes to standard error.",
  usage: ["config put <file> [--base <n>]"],
  says: [
    "A bad one is refused with every error and changes nothing.\nIt is refused as well when another was stored meanwhile: since it was read here to be compared, or since version <n>.",
  ],
  operands: [1, 1],
  options: { base: { type: "string", value: "<n>", does: "the version that the file was made from" }, ...SIGNED },
  examples: [
    ["video-resizer config put worker-config.json --base 7 --note 'longer ttl'", "only if 7 is still the newest"],
    ["jq '.ttl.ok = 120' worker-config.json | video-resizer config put -", "from standard input"],
  ],
  run: async (call) => {
    const { api, show, out, values, by } = call;
    const base = values.base === undefined ? undefined : number("--base", values.base, 0);
    const { text, parsed } = await read(call);
    const stored = await api.get("/config", { has: STORED });
    const { version, drift } = stored.json;
    if (base !== undefined && (base !== version || drift)) {
      throw new Failure(REFUSED, `${named(stored.json)} is stored, not ${base}: get it, and make your change again`);
    }
    out.note(told(changes(stored.json.active ?? {}, parsed), out.paintNote));
    const answer = await api.send("PUT", "/config", text, {
      query: [
        ["by", by],
        ["note", values.note],
      ],
      has: ["version"],
      headers: ifUnchanged(stored),
    });
    show(answer, () => written(answer.json));
    return DONE;
  },
};

/** @type {import("../usage.mjs").Command} */
const check = {
  name: "check",
  kind: "api",
  does: "Check a configuration and store nothing; what would change goes to standard error.",
  usage: ["config check <file>"],
  operands: [1, 1],
  examples: [["video-resizer config check worker-config.json", "every error, or that it is good"]],
  run: async (call) => {
    const { api, show, out } = call;
    const { text, parsed } = await read(call);
    const answer = await api.send("PUT", "/config", text, { query: [["dry_run", "true"]] });
    const stored = await api.get("/config", { has: STORED });
    out.note(told(changes(stored.json.active ?? {}, parsed), out.paintNote));
    show(answer, () => "good");
    return DONE;
  },
};

/** @type {import("../usage.mjs").Command} */
const versions = {
  name: "versions",
  kind: "api",
  does: "List the versions that are kept.",
  usage: ["config versions"],
  examples: [["video-resizer config versions", "who stored what, when and why"]],
  run: async ({ api, show }) => {
    const answer = await api.get("/config", { has: STORED });
    const rows = answer.json.versions.map((/** @type {any} */ { version, at, by, note, bytes }) => [
      version,
      at,
      size(bytes),
      by,
      note,
    ]);
    show(answer, () => table(["VERSION", "AT", "SIZE", "BY", "NOTE"], rows));
    return DONE;
  },
};

/** @type {import("../usage.mjs").Command} */
const showVersion = {
  name: "show",
  kind: "api",
  does: "Print one version.",
  usage: ["config show <n>"],
  operands: [1, 1],
  examples: [["video-resizer config show 6", "as it was put"]],
  run: async ({ api, show, operands }) => {
    const answer = await api.get(`/config/versions/${number("config show", operands[0])}`);
    show(answer, () => JSON.stringify(answer.json, null, 2));
    return DONE;
  },
};

/** @type {import("../usage.mjs").Command} */
const diff = {
  name: "diff",
  kind: "api",
  does: "Say what changed from one version to another, or to what is stored.",
  usage: ["config diff <from> [<to>]"],
  operands: [1, 2],
  examples: [["video-resizer config diff 6", "what changed since version 6"]],
  run: async ({ api, show, out, operands }) => {
    const [from, to] = operands.map((operand) => String(number("config diff", operand)));
    const answer = await api.get("/config/diff", {
      query: [
        ["from", from],
        ["to", to],
      ],
      has: ["changes"],
    });
    show(answer, () => told(answer.json.changes, out.paint));
    return DONE;
  },
};

/** @type {import("../usage.mjs").Command} */
const rollback = {
  name: "rollback",
  kind: "api",
  does: "Store an earlier version again, as a new one; what changes goes to standard error.",
  usage: ["config rollback <n>"],
  says: ["It is refused when another was stored while it was compared."],
  operands: [1, 1],
  options: SIGNED,
  examples: [["video-resizer config rollback 6 --note 'ttl was too long'", "as if 6 were put once more"]],
  run: async ({ api, show, out, operands, values, by }) => {
    const version = number("config rollback", operands[0]);
    const stored = await api.get("/config", { has: STORED });
    const earlier = await api.get(`/config/versions/${version}`);
    out.note(told(changes(stored.json.active ?? {}, earlier.json), out.paintNote));
    const body = JSON.stringify({ version, by, note: values.note });
    const answer = await api.send("POST", "/config/rollback", body, { headers: ifUnchanged(stored), has: ["version"] });
    show(answer, () => written(answer.json));
    return DONE;
  },
};

/** @type {import("../usage.mjs").Command} */
export const config = {
  name: "config",
  does: "Read, check, change and restore the stored configuration.",
  usage: ["config <command>"],
  commands: [get, put, check, versions, showVersion, diff, rollback],
};

/** @param {import("../call.mjs").Call} call @returns {Promise<{ text: string, parsed: unknown }>} */
async function read({ operands: [name], stdin }) {
  const text = name === "-" ? await all(stdin) : file(name);
  return { text, parsed: document(name === "-" ? "standard input" : name, text) };
}

/** @param {import("../api.mjs").Answer} stored @returns {Record<string, string>} */
function ifUnchanged({ headers }) {
  const tag = headers.get("etag");
  // Without one, somebody else's change could be undone unseen.
  if (!tag) throw new Failure(UNREACHABLE, "the API gave no entity tag");
  // Whoever compresses an answer on its way makes its tag a weak one, which never matches; it names the same version.
  return { "if-match": tag.replace(/^W\//, "") };
}

/** @param {any} stored @returns {string} which version it is; one that was put into KV by hand is none of the API's */
const named = ({ version, drift }) => `version ${visible(version)}${drift ? " (changed by hand since)" : ""}`;

/** @param {any} answer */
function written({ version, active_within_s: seconds }) {
  const when = typeof seconds === "number" ? `active everywhere within ${seconds} s` : "active when KV takes it";
  return `version ${visible(version)}, ${when}`;
}
