// `npm run bench:<name> [-- arguments]`: set-up, builds, then bench/<name>.mjs, which writes what it measured into docs/.

import { fromRoot } from "./layout.mjs";
import { Failure, run, script } from "./process.mjs";
import { loadTools, worldTools } from "./setup.mjs";
import { buildMediaOrigin, buildWorker } from "./worker-build.mjs";

/** What a bench takes beside the worker. @type {Record<string, () => Promise<void>>} */
const NEEDS = {
  store: async () => {
    await worldTools({ browser: "unneeded" });
    await buildMediaOrigin();
  },
  floor: loadTools,
  soak: loadTools,
  start: async () => {},
};

await script(async () => {
  const [name = "", ...rest] = process.argv.slice(2);
  const needs = NEEDS[name];
  if (!needs) throw new Failure(`there is no bench ${name}: there are ${Object.keys(NEEDS).join(", ")}.`);
  const file = `bench/${name}.mjs`;
  await needs();
  await buildWorker();
  await run("node", [file, ...rest], { cwd: fromRoot(), failure: `${file} failed: see above` });
});
