import assert from "node:assert/strict";
import { test } from "node:test";
import { Inbox } from "../src/inbox";
import { ALICE, BOB, message, received, thread } from "./fakes";

const LATER = "2026-11-27T09:00:00+00:00";

function ids(inbox: Inbox): string[] {
  return inbox.get(ALICE)?.messages.map((each) => each.message_id) ?? [];
}

test("pages are put together, the oldest message first and each once", () => {
  const inbox = new Inbox();
  inbox.add(ALICE, { messages: [message("d"), message("c")], more: true });
  inbox.add(ALICE, { messages: [message("c"), message("b"), message("a")], more: false });
  assert.deepEqual(ids(inbox), ["a", "b", "c", "d"]);
  assert.equal(inbox.get(ALICE)?.more, false);
});

test("a new message moves its conversation up and is unread", () => {
  const inbox = new Inbox();
  inbox.begin([thread(BOB), thread(ALICE, { unread: 1 })]);
  inbox.apply(received("a", { at: LATER }));
  assert.deepEqual(
    inbox.threads.map((each) => each.correspondent),
    [ALICE, BOB],
  );
  assert.equal(inbox.find(ALICE)?.unread, 2);
  assert.equal(inbox.find(ALICE)?.last_text, "text of a");
});

test("what we send is not unread, and begins a conversation", () => {
  const inbox = new Inbox();
  inbox.apply(received("a", { direction: "outbound", status: "queued" }));
  assert.equal(inbox.find(ALICE)?.unread, 0);
});

test("a late message stands in its place, and the newest stays the last", () => {
  const inbox = new Inbox();
  inbox.begin([thread(ALICE, { last_at: LATER, last_text: "newest" })]);
  inbox.add(ALICE, { messages: [message("b", { at: LATER })], more: false });
  inbox.apply(received("a"));
  assert.deepEqual(ids(inbox), ["a", "b"]);
  assert.equal(inbox.find(ALICE)?.last_text, "newest");
});

test("a message that is known already changes nothing", () => {
  const inbox = new Inbox();
  inbox.begin([thread(ALICE)]);
  inbox.add(ALICE, { messages: [message("a")], more: false });
  inbox.apply(received("a"));
  assert.deepEqual(ids(inbox), ["a"]);
  assert.equal(inbox.find(ALICE)?.unread, 0);
});

test("a status moves its message, of a conversation that is open", () => {
  const inbox = new Inbox();
  const moved = { kind: "status", message_id: "a", status: "failed", reason: "spam" } as const;
  inbox.add(ALICE, { messages: [message("a", { status: "queued" })], more: false });
  inbox.apply({ ...moved, correspondent: ALICE });
  inbox.apply({ ...moved, correspondent: BOB });
  assert.equal(inbox.get(ALICE)?.messages[0]?.status, "failed");
  assert.equal(inbox.get(ALICE)?.messages[0]?.reason, "spam");
  assert.equal(inbox.get(BOB), undefined);
});

test("what was read elsewhere is read here", () => {
  const inbox = new Inbox();
  inbox.begin([thread(ALICE, { unread: 3 }), thread(BOB, { unread: 1 })]);
  inbox.apply({ kind: "read", correspondent: ALICE });
  assert.deepEqual(
    inbox.threads.map((each) => each.unread),
    [0, 1],
  );
});
