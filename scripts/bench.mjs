// `npm run bench:<name> [-- arguments]`: set-up, builds, then bench/<name>.mjs, which writes what it measured into docs/.

import { existsSync } from "node:fs";
import { fromRoot } from "./layout.mjs";
import { Failure, run, script } from "./process.mjs";
import { worldTools } from "./setup.mjs";
import { buildMediaOrigin, buildWorker } from "./worker-build.mjs";

await script(async () => {
  const [name = "", ...rest] = process.argv.slice(2);
  const file = `bench/${name}.mjs`;
  if (!existsSync(fromRoot(file))) throw new Failure(`there is no ${file}.`);
  await worldTools({ browser: "unneeded" });
  await buildWorker();
  await buildMediaOrigin();
  await run("node", [file, ...rest], { cwd: fromRoot(), failure: `${file} failed: see above` });
});
