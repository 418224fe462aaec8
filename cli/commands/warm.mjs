// `warm`: renditions are made before anybody asks for them.

import { DONE, misuse, OUT_OF_TIME, REFUSED } from "../ending.mjs";
import { duration } from "../given.mjs";
import { table, visible } from "../output.mjs";
import { until, WAIT_DEFAULT } from "../wait.mjs";

/** @type {Record<string, import("../usage.mjs").Option>} */
const WAITING = {
  wait: { type: "boolean", does: "wait until it is finished; failures are exit code 1" },
  "wait-timeout": { type: "string", value: "<time>", does: `how long to wait [${WAIT_DEFAULT}]` },
};

/** What a job has. */
const JOB = ["id", "total", "done", "failed", "state"];

/** @type {import("../usage.mjs").Command} */
const show = {
  name: "show",
  kind: "api",
  does: "Show how far a warming is.",
  usage: ["warm show <id> [--wait]"],
  operands: [1, 1],
  options: WAITING,
  examples: [["video-resizer warm show w3", "how far it is, URL by URL"]],
  run: async (call) => {
    const withinMs = waitMs(call.values);
    return followed(call, await call.api.get(jobPath(call.operands[0]), { has: JOB }), withinMs);
  },
};

/** @type {import("../usage.mjs").Command} */
export const warm = {
  name: "warm",
  kind: "api",
  does: "Make renditions before anybody asks for them.",
  usage: ["warm <url>... [--wait]", "warm --source <path>... --preset <name>... [--wait]", "warm show <id>"],
  says: [
    "A list can be read from standard input, an item a line: warm -\nEach rendition that is not stored yet is made, and billed.",
  ],
  operands: [0, Infinity],
  options: {
    source: { type: "string", multiple: true, value: "<path>", does: "a source; each is made with each preset" },
    preset: { type: "string", multiple: true, value: "<name>", does: "a preset of the configuration" },
    by: { type: "string", value: "<name>", does: "who; kept with the job" },
    ...WAITING,
  },
  examples: [
    ["video-resizer warm '/clips/a.mp4?width=640' --wait", "one rendition, and return when it is there"],
    ["video-resizer warm --source /clips/a.mp4 --preset mobile --preset desktop", "two"],
  ],
  commands: [show],
  run: async (call) => {
    const { values, operands, lists, api, by } = call;
    const withinMs = waitMs(values);
    const urls = await lists.read(operands);
    const sources = await lists.read(values.source);
    const presets = await lists.read(values.preset);
    const byProduct = sources.length > 0 && presets.length > 0;
    if (urls.length > 0 ? sources.length + presets.length > 0 : !byProduct) {
      throw misuse("say what to warm: URLs, or --source with --preset");
    }
    const order = urls.length > 0 ? { urls } : { sources, presets };
    const answer = await api.send("POST", "/warm", JSON.stringify({ ...order, by }), { has: JOB });
    return followed(call, answer, withinMs);
  },
};

/** @param {Record<string, any>} values @returns {number | undefined} undefined when it is not waited */
function waitMs(values) {
  if (values["wait-timeout"] && !values.wait) throw misuse("--wait-timeout is for --wait");
  return values.wait ? duration("wait-timeout", values["wait-timeout"] ?? WAIT_DEFAULT) : undefined;
}

/** @param {string} id */
const jobPath = (id) => `/warm/${encodeURIComponent(id)}`;

/**
 * Prints a job, the last that was heard of it where it is waited for.
 *
 * @param {import("../call.mjs").Call} call
 * @param {import("../api.mjs").Answer} first
 * @param {number | undefined} withinMs
 * @returns {Promise<number>}
 */
async function followed({ api, out, show, lastWords }, first, withinMs) {
  if (withinMs === undefined) {
    show(first, () => job(first.json));
    return DONE;
  }
  const { id } = first.json;
  const advice = `${visible(id)} goes on: video-resizer warm show ${visible(id)}`;
  lastWords(advice);
  let last = first;
  try {
    const { inTime } = await until(first, {
      isFinished: ({ json }) => json.state === "finished",
      ask: async (leftMs) => (last = await api.get(jobPath(id), { has: JOB, withinMs: leftMs })),
      tell: ({ json }) => out.progress(summary(json)),
      withinMs,
    });
    if (inTime) return last.json.failed > 0 ? REFUSED : DONE;
    out.note(`not finished after ${withinMs / 1000} s; ${advice}`);
    return OUT_OF_TIME;
  } catch (failure) {
    out.note(advice);
    throw failure;
  } finally {
    show(last, () => job(last.json));
  }
}

/** @param {any} job */
const summary = ({ id, total, done, failed, state }) =>
  `${visible(id)}: ${visible(done)} of ${visible(total)} done, ${visible(failed)} failed, ${visible(state)}`;

/** @param {any} job */
function job(job) {
  const items = (job.items ?? []).map((/** @type {any} */ { state, url, detail }) => [
    state,
    detail ? `${visible(url)}  ${visible(detail)}` : url,
  ]);
  return [summary(job), ...(items.length > 0 ? [table(["STATE", "URL"], items)] : [])].join("\n");
}
