// The world the other end-to-end tests stand on: what it promises them, checked against the built worker.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import test from "node:test";
import { freePort, startWorld } from "../../scripts/world.mjs";

test("a world keeps what is put in KV over a restart of the worker, and a new world on the same state finds it", async (t) => {
  const stateDir = mkdtempSync(path.join(tmpdir(), "video-resizer-state-"));
  t.after(() => rmSync(stateDir, { recursive: true, force: true }));

  const first = await startWorld({ stateDir });
  await first.kv.config.put("world-test", "kept", { metadata: { by: "test" } });
  await first.restart();
  const entry = await first.kv.config.getWithMetadata("world-test");
  assert.equal(entry.value, "kept");
  assert.deepEqual(entry.metadata, { by: "test" });
  await first.stop();

  const second = await startWorld({ stateDir });
  t.after(() => second.stop());
  const { keys } = await second.kv.config.list();
  assert.deepEqual(keys.map((/** @type {{ name: string }} */ key) => key.name), ["world-test"]);
});

test("worlds without a state directory share nothing", async (t) => {
  const first = await startWorld();
  t.after(() => first.stop());
  await first.kv.cache.put("alone", "1");
  const second = await startWorld();
  t.after(() => second.stop());
  assert.equal(await second.kv.cache.get("alone"), null);
  assert.notEqual(second.worker, first.worker);
});

test("a stopped world listens no more", async () => {
  const world = await startWorld();
  const ports = [world.worker, world.media].map((url) => Number(new URL(url).port));
  await world.stop();
  for (const port of ports) assert.equal(await freePort(port, ""), port);
});
