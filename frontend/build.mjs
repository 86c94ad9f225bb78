// node build.mjs [--check]
//
// Builds the card into the integration. With --check nothing is written: it fails when
// the committed file is not what the source builds, or larger than a card may be.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const BUILT = new URL(
  "../custom_components/virtual_sms/frontend/virtual-sms-card.js",
  import.meta.url,
);
const LARGEST = 60_000;

const result = await build({
  absWorkingDir: fileURLToPath(new URL(".", import.meta.url)),
  entryPoints: ["src/card.ts"],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  conditions: ["production"],
  banner: {
    js: "// Built from frontend/ by scripts/frontend. Holds Lit, © Google LLC, BSD-3-Clause.",
  },
  write: false,
});
const built = result.outputFiles[0].contents;

if (built.length > LARGEST) {
  fail(`The card has ${built.length} bytes; it may have ${LARGEST}.`);
} else if (!process.argv.includes("--check")) {
  await writeFile(BUILT, built);
  console.log(`The card has ${built.length} bytes.`);
} else if (!isSame(built, await readFile(BUILT))) {
  fail("The committed card is not what the source builds. Build it: scripts/frontend build");
} else {
  console.log(`The committed card is what the source builds, ${built.length} bytes.`);
}

function isSame(one, other) {
  return Buffer.compare(Buffer.from(one), other) === 0;
}

function fail(message) {
  console.error(`error: ${message}`);
  process.exitCode = 1;
}
