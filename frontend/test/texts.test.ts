import assert from "node:assert/strict";
import { test } from "node:test";
import { ENGLISH, FRENCH, speak } from "../src/texts";
import { Times } from "../src/times";
import { FakeHome } from "./fakes";

const NOW = Date.parse("2026-11-27T08:00:00Z");

function placeholders(text: string): string[] {
  return [...text.matchAll(/\{\w+\}/g)].map((each) => each[0]).sort();
}

test("both languages say the same things", () => {
  assert.deepEqual(Object.keys(FRENCH), Object.keys(ENGLISH));
  for (const [key, text] of Object.entries(ENGLISH)) {
    assert.deepEqual(placeholders(FRENCH[key as keyof typeof FRENCH]), placeholders(text), key);
  }
});

test("the language of the home is spoken, else English", () => {
  assert.equal(speak("fr")("send"), "Envoyer");
  assert.equal(speak("fr-CA")("send"), "Envoyer");
  assert.equal(speak("de")("send"), "Send");
  assert.equal(speak(undefined)("unread", { count: 3 }), "Unread: 3");
  assert.equal(speak("en")("unread"), "Unread: ");
});

test("times are those of the home, and days have names", () => {
  const home = new FakeHome();
  home.config.time_zone = "Asia/Tokyo";
  const times = new Times(home, speak("en"), () => NOW);
  assert.equal(times.time("2026-11-27T08:05:00Z"), "17:05");
  assert.equal(times.date("2026-11-27T08:00:00Z"), "Today");
  assert.equal(times.date("2026-11-26T08:00:00Z"), "Yesterday");
  assert.equal(times.short("2026-11-27T08:05:00Z"), "17:05");
  assert.equal(times.short("2026-11-20T08:05:00Z"), "November 20, 2026");
});

test("the clock is that of the person", () => {
  const home = new FakeHome();
  home.locale = { language: "en", time_format: "12", time_zone: "server" };
  assert.match(new Times(home, speak("en")).time("2026-11-27T17:05:00Z"), /5:05.PM/);
  const plain = { ...home, locale: undefined, language: "en" } as unknown as FakeHome;
  assert.match(new Times(plain, speak("en")).time("2026-11-27T17:05:00Z"), /05/);
});
