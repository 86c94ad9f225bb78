import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { countSegments } from "../src/segments";

interface Counted {
  text: string;
  segments: number;
  foreign: string | null;
}

const COUNTED: Counted[] = JSON.parse(
  readFileSync(process.env["SEGMENTS"] ?? "test/segments.json", "utf-8"),
);

test("counts as the integration does", () => {
  assert.ok(COUNTED.length > 20);
  for (const { text, segments, foreign } of COUNTED) {
    const counted = countSegments(text);
    assert.deepEqual(
      { segments: counted.segments, foreign: counted.foreign },
      { segments, foreign },
      JSON.stringify(text),
    );
  }
});

test("says what is used of the room that is paid for", () => {
  assert.deepEqual(countSegments(""), { segments: 1, used: 0, room: 160, foreign: null });
  assert.deepEqual(countSegments("a€"), { segments: 1, used: 3, room: 160, foreign: null });
  assert.deepEqual(countSegments("ê"), { segments: 1, used: 1, room: 70, foreign: "ê" });
  assert.equal(countSegments("a".repeat(161)).room, 306);
  assert.equal(countSegments("ê".repeat(71)).room, 134);
});
