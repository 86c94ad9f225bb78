import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { simplify } from "../src/simplify";

const SIMPLIFIED: { text: string; plain: string }[] = JSON.parse(
  readFileSync("test/simplified.json", "utf-8"),
);

test("simplifies as the integration does", () => {
  assert.ok(SIMPLIFIED.length > 5);
  for (const { text, plain } of SIMPLIFIED) {
    assert.equal(simplify(text), plain, JSON.stringify(text));
  }
});
