// `npm test`: set-up, then every test: cargo's, and the end-to-end ones against the built worker.
// Arguments name end-to-end test files to run instead of all of them.

import { readdirSync } from "node:fs";
import { fromRoot, WORKSPACE } from "./layout.mjs";
import { run, script } from "./process.mjs";
import { worldTools } from "./setup.mjs";
import { buildMediaOrigin, buildWorker } from "./worker-build.mjs";

/** A test that hangs is a failure; the longest one makes a rendition of over 25 MiB. */
const TEST_TIMEOUT_MS = 300_000;

await script(async () => {
  const chosen = process.argv.slice(2);
  await worldTools({ browser: "needed" });
  await buildWorker();
  await buildMediaOrigin();
  if (chosen.length === 0) {
    await run("cargo", ["test", ...WORKSPACE], { cwd: fromRoot(), failure: "cargo test failed: see above" });
  }
  const all = readdirSync(fromRoot("tests", "e2e"))
    .filter((name) => name.endsWith(".test.mjs"))
    .sort()
    .map((name) => `tests/e2e/${name}`);
  await run("node", ["--test", `--test-timeout=${TEST_TIMEOUT_MS}`, ...(chosen.length > 0 ? chosen : all)], {
    cwd: fromRoot(),
    failure: "an end-to-end test failed: see above",
  });
});
