// The gate before fills as it lives in workerd: one object a name, many who wait at it, and one answer for all.

import assert from "node:assert/strict";
import test from "node:test";
import { startWorld } from "../../scripts/world.mjs";

/** Lets a test ask the gates as the worker does: the object of that name, JSON in and JSON out. */
const DOOR = `
export default {
  async fetch(request, { FILL_GATE: gates }) {
    if (!gates) return new Response("unbound", { status: 501 });
    const asked = new URL(request.url).searchParams;
    const leaves = asked.has("leave") ? { signal: AbortSignal.timeout(Number(asked.get("leave"))) } : {};
    return gates.getByName(asked.get("gate")).fetch(request, leaves).catch((error) => new Response(error.name));
  },
};
`;

/** @param {import("node:test").TestContext} t @param {Parameters<typeof startWorld>[0]} [options] */
async function openDoor(t, options = {}) {
  const world = await startWorld({ around: DOOR, ...options });
  t.after(() => world.stop());
  /** @param {string} name @param {unknown} question @param {string} [more] of the query */
  const post = (name, question, more = "") =>
    fetch(`${world.worker}/?gate=${encodeURIComponent(name)}${more}`, { method: "POST", body: JSON.stringify(question) });
  return {
    ...world,
    post,
    /** @param {string} name @param {unknown} question @returns {Promise<any>} */
    ask: async (name, question) => {
      const answer = await post(name, question);
      assert.equal(answer.status, 200, `${JSON.stringify(question)}: ${answer.status}`);
      return answer.json();
    },
  };
}

/** As in src/limits.rs. */
const LEASE_MS = 10_000;

const ENTER = { enter: {} };
const ENTRY = JSON.stringify({ g: "feed" });

test("of 200 who enter at once one leads, and all others are told what it kept", async (t) => {
  const { ask } = await openDoor(t);
  const key = "video:a b/ü.mp4:w=640";
  const verdicts = await Promise.all(Array.from({ length: 200 }, () => ask(key, ENTER)));
  const leaders = verdicts.filter(({ lead }) => lead);
  assert.equal(leaders.length, 1);
  const token = leaders[0].lead.token;
  const followers = verdicts.filter(({ follow }) => follow?.token === token);
  assert.equal(followers.length, 199);

  const waiting = Promise.all(followers.map(() => ask(key, { wait: { token, wait_ms: 20_000 } })));
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(await ask(key, { beat: { token } }), "held");
  assert.equal(await ask(key, { publish: { token } }), "held");
  const finished = Date.now();
  assert.equal(await ask(key, { finish: { token, entry: ENTRY } }), "held");
  for (const told of await waiting) assert.deepEqual(told, { filled: { entry: ENTRY } });
  // A pause between two looks is 100 ms at the most; the rest is a busy machine's.
  assert.ok(Date.now() - finished < 3_000, `told after ${Date.now() - finished} ms`);
  assert.deepEqual(await ask(key, ENTER), { filled: { entry: ENTRY } });

  assert.ok((await ask("video:another.mp4", ENTER)).lead, "another variant has another gate");
  assert.ok((await ask(key, { enter: { unusable: "feed" } })).lead, "what nobody can read is forgotten");
});

test("who waits is told after the time it gave, though the fill is not done", async (t) => {
  const { ask } = await openDoor(t);
  const { token } = (await ask("slow", ENTER)).lead;
  const began = Date.now();
  assert.deepEqual(await ask("slow", { wait: { token, wait_ms: 700 } }), { follow: { token } });
  const waited = Date.now() - began;
  assert.ok(waited >= 690 && waited < 3_000, `waited ${waited} ms`);
});

test("who left while waiting is given no lease when the filler falls silent", async (t) => {
  const { ask, post } = await openDoor(t);
  const { token } = (await ask("left", ENTER)).lead;
  const granted = Date.now();
  const left = await post("left", { wait: { token, wait_ms: 60_000 } }, "&leave=300");
  assert.equal(await left.text(), "TimeoutError");
  // By now whoever still waits would have looked and got it.
  await new Promise((resolve) => setTimeout(resolve, LEASE_MS + 500 - (Date.now() - granted)));
  assert.ok((await ask("left", ENTER)).lead, "the first who is there");
});

test("a gate that lost its memory takes up the lease of who speaks, and of whom somebody waits for", async (t) => {
  const { ask, restart } = await openDoor(t);
  const filler = (await ask("filler", ENTER)).lead;
  const waited = (await ask("waited", ENTER)).lead;
  await restart();
  assert.equal(await ask("filler", { publish: filler }), "held");
  assert.deepEqual(await ask("waited", { wait: { ...waited, wait_ms: 100 } }), { follow: waited });
  const newer = (await ask("newer", ENTER)).lead;
  assert.equal(await ask("newer", { publish: filler }), "lost", "a smaller token than the one that leads");
  assert.ok(newer.token > filler.token);
});

test("what is no question is a bad request, and the gate is there for the next", async (t) => {
  const { ask, post } = await openDoor(t);
  for (const bad of [{}, { leave: {} }, { enter: { unusable: "x".repeat(10_000) } }]) {
    assert.equal((await post("odd", bad)).status, 400, JSON.stringify(bad).slice(0, 40));
  }
  assert.ok((await ask("odd", ENTER)).lead);
});

test("a world may be without a gate", async (t) => {
  const { post } = await openDoor(t, { gate: false });
  assert.equal((await post("none", ENTER)).status, 501);
});
