// `purge`: what is stored is forgotten on every tier, and a receipt says how far that is.

import { misuse, DONE, OUT_OF_TIME } from "../ending.mjs";
import { duration, number } from "../given.mjs";
import { counted, outline, size, table, visible } from "../output.mjs";
import { PAGING, pages } from "../paging.mjs";
import { until, WAIT_DEFAULT } from "../wait.mjs";

/** Option, and the member of the order it fills. */
const TARGETS = /** @type {const} */ ([
  ["tag", "tags"],
  ["path", "paths"],
  ["prefix", "prefixes"],
  ["url", "urls"],
  ["host", "hosts"],
]);

/** What a receipt has. */
const RECEIPT = ["id", "targets", "tiers", "complete"];

/** @type {import("../usage.mjs").Command} */
const log = {
  name: "log",
  kind: "api",
  does: "List the purges there were, the newest first.",
  usage: ["purge log [--limit <n>] [--all]"],
  options: PAGING,
  examples: [["video-resizer purge log --limit 10", "the last ten"]],
  run: async (call) => {
    if (call.values.limit) number("--limit", call.values.limit);
    await pages(call, { path: "/purge", query: [], member: "purges", text: listed, none: "nothing was purged yet" });
    return DONE;
  },
};

/** @type {import("../usage.mjs").Command} */
const show = {
  name: "show",
  kind: "api",
  does: "Show the receipt of a purge: what is done on each tier, and what is pending.",
  usage: ["purge show <id> [--wait]"],
  operands: [1, 1],
  options: {
    wait: { type: "boolean", does: "wait until it is complete everywhere" },
    "wait-timeout": { type: "string", value: "<time>", does: `how long to wait [${WAIT_DEFAULT}]` },
  },
  examples: [["video-resizer purge show p17", "how far it is"]],
  run: async (call) => {
    const withinMs = waitMs(call.values);
    return followed(call, await call.api.get(receiptPath(call.operands[0]), { has: RECEIPT }), withinMs);
  },
};

/** @type {import("../usage.mjs").Command} */
export const purge = {
  name: "purge",
  kind: "api",
  does: "Purge every tier: by tag, path, prefix, URL, host, or everything.",
  usage: ["purge <targets> [--soft] [--dry-run] [--wait]", "purge log", "purge show <id>"],
  says: [
    "One purge may have many targets, of all kinds.\nA list can be read from standard input, an item a line: --tag -",
  ],
  options: {
    tag: { type: "string", multiple: true, value: "<tag>", does: "whatever has this tag" },
    path: { type: "string", multiple: true, value: "<path>", does: "every variant of one source" },
    prefix: { type: "string", multiple: true, value: "<path>", does: "every source below" },
    url: { type: "string", multiple: true, value: "<url>", does: "exactly this variant" },
    host: { type: "string", multiple: true, value: "<host>", does: "whatever was asked of this host" },
    everything: { type: "boolean", does: "all there is" },
    soft: { type: "boolean", does: "serve what is stored while it is renewed, instead of forgetting it" },
    "dry-run": { type: "boolean", does: "purge nothing; say how much it would be, with examples" },
    note: { type: "string", value: "<text>", does: "why; kept in the log" },
    by: { type: "string", value: "<name>", does: "who; kept in the log" },
    wait: { type: "boolean", does: "wait until it is complete everywhere" },
    "wait-timeout": { type: "string", value: "<time>", does: `how long to wait [${WAIT_DEFAULT}]` },
  },
  examples: [
    ["video-resizer purge --tag campaign-7 --wait", "forget a campaign, and return when no one gets it any more"],
    ["video-resizer purge --prefix /clips/2024/ --dry-run", "how much that would be"],
    ["git diff --name-only HEAD~1 -- videos | video-resizer purge --soft --path -", "renew what a commit changed"],
  ],
  commands: [log, show],
  run: async (call) => {
    const { values, api, lists, by } = call;
    const withinMs = waitMs(values);
    if (values["dry-run"] && values.wait) throw misuse("--dry-run has nothing to --wait for");
    /** @type {Record<string, unknown>} */
    const order = {};
    for (const [option, member] of TARGETS) {
      const items = await lists.read(values[option]);
      if (items.length > 0) order[member] = items;
    }
    if (values.everything) order.everything = true;
    if (Object.keys(order).length === 0) {
      throw misuse("say what to purge: --tag, --path, --prefix, --url, --host or --everything");
    }
    const { note } = values;
    const body = JSON.stringify({
      ...order,
      mode: values.soft ? "soft" : "hard",
      dry_run: values["dry-run"],
      by,
      note,
    });
    const answer = await api.send("POST", "/purge", body, { has: values["dry-run"] ? ["matches"] : RECEIPT });
    if (!values["dry-run"]) return followed(call, answer, withinMs);
    call.show(answer, () => foreseen(answer.json));
    return DONE;
  },
};

/** @param {Record<string, any>} values @returns {number | undefined} undefined when it is not waited */
function waitMs(values) {
  if (values["wait-timeout"] && !values.wait) throw misuse("--wait-timeout is for --wait");
  return values.wait ? duration("wait-timeout", values["wait-timeout"] ?? WAIT_DEFAULT) : undefined;
}

/** @param {string} id */
const receiptPath = (id) => `/purge/${encodeURIComponent(id)}`;

/**
 * Prints a receipt, the last one there is where it is waited for.
 *
 * @param {import("../call.mjs").Call} call
 * @param {import("../api.mjs").Answer} first
 * @param {number | undefined} withinMs
 * @returns {Promise<number>}
 */
async function followed({ api, out, show, lastWords }, first, withinMs) {
  if (withinMs === undefined) {
    show(first, () => receipt(first.json));
    return DONE;
  }
  const { id } = first.json;
  const advice = `${visible(id)} goes on: video-resizer purge show ${visible(id)}`;
  lastWords(advice);
  let last = first;
  try {
    const { inTime } = await until(first, {
      isFinished: ({ json }) => json.complete === true,
      ask: async (leftMs) => (last = await api.get(receiptPath(id), { has: RECEIPT, withinMs: leftMs })),
      tell: ({ json }) => out.progress(`${visible(json.id)}: ${progress(json)}`),
      withinMs,
    });
    if (inTime) return DONE;
    out.note(`not complete after ${withinMs / 1000} s; ${advice}`);
    return OUT_OF_TIME;
  } catch (failure) {
    out.note(advice);
    throw failure;
  } finally {
    show(last, () => receipt(last.json));
  }
}

/** @param {any} receipt @returns {string} the tiers that are not done */
function progress({ complete, tiers = {} }) {
  if (complete) return "complete everywhere";
  const open = Object.entries(tiers).filter(([, { state }]) => !["done", "off"].includes(state));
  return open.map(([tier, { state }]) => `${visible(tier)} ${visible(state)}`).join(", ") || "pending";
}

/** @param {any} targets */
function aims(targets = {}) {
  if (targets.everything) return "everything";
  const kinds = TARGETS.flatMap(([option, member]) =>
    (targets[member] ?? []).map((/** @type {string} */ item) => `${option} ${visible(item)}`),
  );
  return kinds.join(", ");
}

/** @param {any} receipt @returns {string} */
function receipt({ id, at, by, note, via, mode, targets, tiers = {}, complete, complete_at: end }) {
  const rows = Object.entries(tiers).map(([tier, { state, ...more }]) => [tier, state, details(more)]);
  return [
    `${visible(id)}: ${visible(mode)} purge of ${aims(targets)}`,
    `at ${visible(at)} by ${visible(by)} via ${visible(via)}${note ? `: ${visible(note)}` : ""}`,
    table(["TIER", "STATE", "DETAILS"], rows),
    complete ? `complete everywhere at ${visible(end)}` : `not complete: ${progress({ tiers })}`,
  ].join("\n");
}

/** @param {Record<string, unknown>} more */
function details(more) {
  const said = Object.entries(more).filter(([, value]) => value !== null && value !== undefined);
  return said.map(([name, value]) => `${name.replaceAll("_", " ")} ${visible(value)}`).join(", ");
}

/** @param {any} foreseen */
function foreseen({ matches, bytes, complete, examples = [] }) {
  const amount = `${counted(matches, "entry", "entries")}, ${size(bytes)}`;
  return [`${complete ? "" : "at least "}${amount}`, ...(examples.length > 0 ? [outline(examples)] : [])].join("\n");
}

/** @param {any[]} purges @param {boolean} first */
const listed = (purges, first) =>
  table(
    first ? ["ID", "AT", "MODE", "STATE", "BY", "TARGETS"] : [],
    purges.map(({ id, at, mode, complete, by, targets }) => [
      id,
      at,
      mode,
      complete ? "complete" : "pending",
      by,
      aims(targets),
    ]),
    [6, 24, 4, 8, 10],
  );
