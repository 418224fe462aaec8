// What the product and the floor are both asked, case by case.

import { fill, from, pathOf, QUERY } from "./stage.mjs";

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {"held" | "told"} target whether the product is held to the targets of hits
 * @property {import("./load.mjs").Asked} floor
 * @property {import("./load.mjs").Asked} product
 *
 * @typedef {object} Kind
 * @property {(bytes: number[]) => number[]} bodies which bodies it is measured with, of those there are in order
 * @property {(scene: Scene) => Case[]} cases
 *
 * @typedef {object} Scene a body that both have where they keep bodies
 * @property {import("./stage.mjs").Stage} stage
 * @property {number} bytes
 * @property {{ product: string, floor: string }} tags
 */

/** @param {Scene} scene @param {"product" | "quiet"} [who] @returns {import("./load.mjs").Asked} */
const atEdge = ({ stage, bytes }, who = "product") =>
  ({ url: `${stage[who]}${pathOf(bytes)}${QUERY}`, status: 200, bytes, isRight: from("edge") });

/** @param {Scene} scene @param {"product" | "quiet"} [who] @returns {import("./load.mjs").Asked} */
function inKv(scene, who) {
  const asked = atEdge(scene, who);
  return { ...asked, url: `${asked.url}&no-edge-cache`, isRight: from("kv") };
}

/** @param {Scene} scene @param {"edge" | "unchanged" | "kv"} name @returns {import("./load.mjs").Asked} */
const floor = ({ stage, bytes }, name) => ({ url: `${stage.floor[name]}${pathOf(bytes)}`, status: 200, bytes });

/** A part from the middle of the body, 64 KiB of it at the most. @param {number} bytes */
function part(bytes) {
  const [first, length] = [bytes / 2, Math.min(65_536, bytes / 4)];
  return { status: 206, bytes: length, headers: { Range: `bytes=${first}-${first + length - 1}` } };
}

/** @param {string} tag */
const unchanged = (tag) => ({ status: 304, bytes: 0, headers: { "If-None-Match": tag } });

/** @param {string} url @param {string} path @param {string} query @param {number} bytes */
const fresh = (url, path, query, bytes) =>
  ({ url, status: 200, bytes, fresh: /** @type {[string, string]} */ ([`/${path}/`, `/${bytes}.mp4${query}`]) });

const all = (/** @type {number[]} */ bodies) => bodies;
const smallest = (/** @type {number[]} */ bodies) => bodies.slice(0, 1);

/** By the name that chooses it. @type {Record<string, Kind>} */
export const KINDS = {
  edge: {
    bodies: all,
    cases: (scene) => [{ name: "edge hit", target: "held", floor: floor(scene, "edge"), product: atEdge(scene) }],
  },
  kv: {
    bodies: all,
    cases: (scene) => [{ name: "KV hit", target: "held", floor: floor(scene, "kv"), product: inKv(scene) }],
  },
  range: {
    bodies: (bodies) => bodies.slice(-2),
    cases: (scene) => {
      const asked = part(scene.bytes);
      const [least, ours] = [floor(scene, "edge"), atEdge(scene)];
      return [{ name: `edge hit, ${asked.bytes} bytes of it`, target: "told", floor: { ...least, ...asked }, product: { ...ours, ...asked } }];
    },
  },
  304: {
    bodies: smallest,
    cases: (scene) => {
      const product = { ...atEdge(scene), ...unchanged(scene.tags.product) };
      const by = (/** @type {"edge" | "unchanged"} */ name) => ({ ...floor(scene, name), ...unchanged(scene.tags.floor) });
      return [
        { name: "304; the floor leaves it to the platform", target: "told", floor: by("edge"), product },
        { name: "304; the floor compares", target: "told", floor: by("unchanged"), product },
      ];
    },
  },
  miss: {
    bodies: smallest,
    cases: ({ stage, bytes }) => [
      {
        name: "cold miss",
        target: "told",
        floor: fresh(stage.floor.miss, "floor", "", bytes),
        product: fresh(stage.product, "product", QUERY, bytes),
      },
    ],
  },
  log: {
    bodies: smallest,
    cases: (scene) => [
      { name: "edge hit, a log of errors only", target: "told", floor: floor(scene, "edge"), product: atEdge(scene, "quiet") },
      { name: "KV hit, a log of errors only", target: "told", floor: floor(scene, "kv"), product: inKv(scene, "quiet") },
    ],
  },
};

/**
 * The cases of one kind, one body after the other.
 *
 * @param {import("./stage.mjs").Stage} stage
 * @param {string} name
 * @param {number[]} bodies
 */
export async function* casesOf(stage, name, bodies) {
  const kind = KINDS[name];
  if (!kind) throw new Error(`there are no cases ${name}: there are ${Object.keys(KINDS).join(", ")}`);
  for (const bytes of kind.bodies(bodies)) {
    const scene = { stage, bytes, tags: await fill(stage, bytes) };
    for (const found of kind.cases(scene)) yield { bytes, ...found };
  }
}
