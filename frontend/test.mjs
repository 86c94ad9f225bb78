// node test.mjs [options of node --test]
//
// Bundles the tests with what they test, for node reads no TypeScript that imports as
// a bundler does, and runs them.
import { spawnSync } from "node:child_process";
import { readdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const tests = (await readdir(`${here}test`)).filter((each) => each.endsWith(".test.ts"));
const outdir = `${here}.built-tests`;
await rm(outdir, { recursive: true, force: true });
await build({
  absWorkingDir: here,
  entryPoints: tests.map((each) => `test/${each}`),
  outdir,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  conditions: ["browser", "production"],
  external: ["happy-dom"],
  sourcemap: "inline",
});
const run = spawnSync(
  process.execPath,
  [
    "--enable-source-maps",
    "--test",
    ...process.argv.slice(2),
    ...tests.map((each) => `${outdir}/${each.replace(/\.ts$/, ".mjs")}`),
  ],
  { stdio: "inherit", timeout: 300_000 },
);
process.exitCode = run.status ?? 1;
