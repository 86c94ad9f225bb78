import "./dom";

import assert from "node:assert/strict";
import { afterEach, mock, test } from "node:test";
import type { VirtualSmsCard as Card } from "../src/card";
import type { ConversationView } from "../src/conversation";
import { ALICE, BOB, FakeHome, message, received, thread } from "./fakes";

await import("../src/card");

let card: Card;

/** Put a card on a dashboard. */
async function show(home: FakeHome, config: object = { config_entry_id: "entry" }) {
  card = document.createElement("virtual-sms-card") as unknown as Card;
  card.setConfig({ type: "custom:virtual-sms-card", ...config });
  card.hass = home;
  document.body.append(card as unknown as HTMLElement);
  await settle();
  return card;
}

/** Let all that was begun come to its end. */
async function settle() {
  for (let turn = 0; turn < 12; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

afterEach(() => {
  card.remove();
  mock.timers.reset();
});

function root(part?: string): ParentNode {
  const found = part ? card.shadowRoot!.querySelector(part) : card;
  return found!.shadowRoot!;
}

function texts(selector: string, part?: string): string[] {
  return [...root(part).querySelectorAll(selector)].map((each) => each.textContent!.trim());
}

function press(selector: string, part?: string): Promise<void> {
  root(part).querySelector<HTMLElement>(selector)!.click();
  return settle();
}

async function type(text: string, selector = "textarea"): Promise<void> {
  const box = root("virtual-sms-composer").querySelector<HTMLTextAreaElement>(selector)!;
  box.value = text;
  box.dispatchEvent(new Event("input"));
  await settle();
}

function withConversation(): FakeHome {
  const home = new FakeHome();
  home.threads = [thread(ALICE, { contact: "Alice", unread: 2 }), thread(BOB)];
  home.pages[ALICE] = {
    messages: [
      message("b", { direction: "outbound", status: "delivered", text: "out" }),
      message("a", { text: "<b>in</b>" }),
    ],
    more: true,
  };
  home.pages["a"] = { messages: [message("older")], more: false };
  return home;
}

const MESSAGES = "virtual-sms-conversation";

test("conversations are listed by name, with what is unread", async () => {
  await show(withConversation());
  assert.deepEqual(texts(".name"), ["Alice", BOB]);
  assert.deepEqual(texts(".count [aria-hidden]"), ["2"]);
  assert.deepEqual(texts(".count .heard"), ["Unread: 2"]);
  assert.deepEqual(texts("h2"), ["Conversations"]);
});

test("a title of one's own is shown", async () => {
  await show(withConversation(), { config_entry_id: "entry", title: "Holiday home" });
  assert.deepEqual(texts("h2"), ["Holiday home"]);
});

test("a conversation opens, and is read from then on", async () => {
  const home = withConversation();
  await show(home);
  await press("li button");
  assert.deepEqual(texts("h2"), ["Alice"]);
  assert.deepEqual(texts(".text", MESSAGES), ["<b>in</b>", "out"]);
  assert.deepEqual(texts(".count"), []);
  assert.equal(home.asked.filter((each) => each["type"] === "virtual_sms/mark_read").length, 1);
  const tick = root(MESSAGES).querySelector("[role=img]")!;
  assert.equal(tick.getAttribute("aria-label"), "Delivered");
  assert.deepEqual(texts(".heard", MESSAGES), ["Alice wrote", "You wrote"]);
});

test("a text is a text, never markup", async () => {
  await show(withConversation());
  await press("li button");
  assert.equal(root(MESSAGES).querySelector(".text b"), null);
});

test("older messages come when they are asked for", async () => {
  await show(withConversation());
  await press("li button");
  await press(".older", MESSAGES);
  assert.deepEqual(texts(".text", MESSAGES), ["text of older", "<b>in</b>", "out"]);
  assert.equal(root(MESSAGES).querySelector(".older"), null);
});

test("older messages come by scrolling up as well", async () => {
  await show(withConversation());
  await press("li button");
  const log = root(MESSAGES).querySelector<HTMLElement>(".log")!;
  Object.defineProperty(log, "scrollHeight", { value: 2000 });
  Object.defineProperty(log, "clientHeight", { value: 300 });
  log.scrollTop = 10;
  log.dispatchEvent(new Event("scroll"));
  await settle();
  assert.equal(texts(".text", MESSAGES).length, 3);
});

test("what happens is shown at once", async () => {
  const home = withConversation();
  await show(home);
  await press("li button");
  home.fire(received("new", { text: "news", at: "2026-11-27T08:10:00+00:00" }));
  home.fire({
    kind: "status",
    correspondent: ALICE,
    message_id: "b",
    status: "undelivered",
    reason: "blocked",
  });
  await settle();
  assert.deepEqual(texts(".text", MESSAGES), ["<b>in</b>", "out", "news"]);
  assert.deepEqual(texts(".reason", MESSAGES), ["Not delivered."]);
  assert.equal(home.asked.filter((each) => each["type"] === "virtual_sms/mark_read").length, 2);
});

test("why a message did not arrive is said in words", async () => {
  const home = withConversation();
  home.sentences["rejected_blocked"] = "They block it.";
  home.sentences["rejected"] = "Refused.";
  home.pages[ALICE]!.messages = [
    message("c", { direction: "outbound", status: "failed", reason: "blocked" }),
    message("d", { direction: "outbound", status: "failed", reason: "other" }),
    message("e", { direction: "outbound", status: "unknown" }),
  ];
  await show(home);
  await press("li button");
  assert.deepEqual(texts(".reason", MESSAGES), [
    "It is not known whether it was sent.",
    "Not sent. Refused.",
    "Not sent. They block it.",
  ]);
});

test("what was not seen stays unread", async () => {
  const home = withConversation();
  Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
  await show(home);
  await press("li button");
  assert.equal(home.asked.some((each) => each["type"] === "virtual_sms/mark_read"), false);
  Object.defineProperty(document, "visibilityState", { value: "visible", configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
  await settle();
  assert.equal(home.asked.some((each) => each["type"] === "virtual_sms/mark_read"), true);
});

test("an answer is sent by the action, and the box is empty then", async () => {
  const home = withConversation();
  await show(home);
  await press("li button");
  await type("Hello");
  await press(".send", "virtual-sms-composer");
  assert.deepEqual(home.sent, [{ config_entry_id: "entry", to: ALICE, message: "Hello" }]);
  const box = root("virtual-sms-composer").querySelector("textarea")!;
  assert.equal(box.value, "");
});

test("Enter sends, with Shift it does not, and nothing is sent twice or empty", async () => {
  const home = withConversation();
  await show(home);
  await press("li button");
  const box = root("virtual-sms-composer").querySelector("textarea")!;
  const enter = (more: object = {}) =>
    box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", cancelable: true, ...more }));
  enter();
  await type("Hello");
  enter({ shiftKey: true });
  assert.equal(home.sent.length, 0);
  enter();
  await settle();
  enter();
  await settle();
  assert.equal(home.sent.length, 1);
});

test("a refusal is said in words, and the text is not lost", async () => {
  const home = withConversation();
  home.sentences["not_sent"] = "SMS not sent: {details}";
  home.trouble["send"] = {
    message: "?",
    translation_key: "not_sent",
    translation_domain: "virtual_sms",
    translation_placeholders: { details: "no credit" },
  };
  await show(home);
  await press("li button");
  await type("Hello");
  await press(".send", "virtual-sms-composer");
  assert.deepEqual(texts("[role=alert]", "virtual-sms-composer"), ["SMS not sent: no credit"]);
  assert.equal(root("virtual-sms-composer").querySelector("textarea")!.value, "Hello");
  home.trouble["translations"] = new Error("none");
  await press(".send", "virtual-sms-composer");
  assert.deepEqual(texts("[role=alert]", "virtual-sms-composer"), ["?"]);
});

test("the segments are counted while one writes, and what makes them dear is named", async () => {
  await show(withConversation());
  await press("li button");
  await type("Hello");
  assert.deepEqual(texts(".counter", "virtual-sms-composer"), ["1 SMS · 5/160"]);
  await type("Fête");
  const [counter] = texts(".counter", "virtual-sms-composer");
  assert.match(counter!, /^1 SMS · 4\/70 · “ê” makes it expensive: 70 instead of 160/);
});

test("what is counted is what the number sends, with plain characters or without", async () => {
  const home = withConversation();
  await show(home);
  await press("li button");
  await type("« Oui » – d’accord…");
  assert.deepEqual(texts(".counter", "virtual-sms-composer"), ["1 SMS · 19/160"]);
  await type("“Fête”");
  assert.match(texts(".counter", "virtual-sms-composer")[0]!, /6\/70 · “ê” makes it expensive/);
  card.remove();
  home.simplify = false;
  await show(home);
  await press("li button");
  await type("d’accord");
  assert.match(texts(".counter", "virtual-sms-composer")[0]!, /8\/70 · “’” makes it expensive/);
});

test("a number that does not say how it sends can be read and answered", async () => {
  const home = withConversation();
  home.trouble["line"] = { code: "unknown_command" };
  await show(home);
  assert.deepEqual(texts(".problem"), []);
  await press("li button");
  await type("d’accord");
  assert.deepEqual(texts(".counter", "virtual-sms-composer"), ["1 SMS · 8/160"]);
});

test("whom the home believes is said where it changes, and of each doubtful message", async () => {
  const home = withConversation();
  const by = (id: string, trust: string | null) => message(id, { trust });
  home.pages[ALICE] = {
    messages: [
      by("i", "new word"),
      by("h", "unproven"),
      by("g", "unproven"),
      by("f", "locked"),
      message("e", { direction: "outbound", status: "sent" }),
      by("d", "trusted"),
      by("c", "trusted"),
      by("b", "known"),
      by("a", "unknown"),
      by("0", null),
    ],
    more: false,
  };
  await show(home);
  await press("li button");
  const metas = [...root(MESSAGES).querySelectorAll(".meta")];
  assert.deepEqual(
    metas.map((each) => each.querySelector(".trust")?.textContent ?? ""),
    ["", "Unknown sender", "Known contact", "Trusted", "", "", "Locked", "Unproven", "Unproven", ""],
  );
  assert.equal(root(MESSAGES).querySelectorAll(".trust.warning").length, 3);
});

const ODD: Record<string, string> = {
  markup: '<img src=x onerror="alert(1)"><script>alert(2)</script>&amp;',
  "right to left": "שלום \u202e\u2066abc\u2069 123",
  "nothing to see": "\u200b\u200d\ufeff\u00ad",
  "1,600 characters": "x".repeat(1_600),
  "an address": "https://example.org/?a=1&b=<c>",
  "broken characters": "\ud83d\ufffd\u0000",
};

for (const [what, text] of Object.entries(ODD)) {
  test(`a text stays what it is: ${what}`, async () => {
    const home = new FakeHome();
    home.threads = [thread(ALICE, { contact: text, last_text: text })];
    home.pages[ALICE] = { messages: [message("a", { text })], more: false };
    await show(home);
    assert.equal(card.shadowRoot!.querySelector(".last")!.textContent, text);
    await press("li button");
    const shown = root(MESSAGES).querySelector(".text")!;
    assert.equal(shown.textContent, text);
    assert.equal(shown.children.length, 0);
    assert.equal(shown.getAttribute("dir"), "auto");
    for (const part of [root(MESSAGES), card.shadowRoot!]) {
      assert.equal(part.querySelector("a, img, script"), null);
    }
  });
}

test("who may not read is told so, and sees nothing", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const home = withConversation();
  const refused = { code: "unauthorized", message: "Unauthorized" };
  home.trouble = { subscribe: refused, conversations: refused, line: refused };
  await show(home);
  assert.deepEqual(texts(".problem"), ["Unauthorized"]);
  assert.deepEqual(texts("li"), []);
  assert.equal(home.subscribers.size, 0);
  assert.equal(card.shadowRoot!.querySelector("virtual-sms-composer"), null);
});

test("who may read but not send is told so, and keeps the text", async () => {
  const home = withConversation();
  home.trouble["send"] = { code: "unauthorized", message: "Unauthorized" };
  await show(home);
  await press("li button");
  await type("Hello");
  await press(".send", "virtual-sms-composer");
  assert.deepEqual(texts("[role=alert]", "virtual-sms-composer"), ["Unauthorized"]);
  assert.equal(root("virtual-sms-composer").querySelector("textarea")!.value, "Hello");
});

test("each conversation keeps what was begun in it", async () => {
  await show(withConversation());
  await press("li button");
  await type("for Alice");
  await press("li:nth-of-type(2) button");
  const box = root("virtual-sms-composer").querySelector("textarea")!;
  assert.equal(box.value, "");
  await press("li button");
  assert.equal(box.value, "for Alice");
});

test("somebody new can be written to", async () => {
  const home = withConversation();
  await show(home);
  await press(".new");
  assert.deepEqual(texts("h2"), ["New message"]);
  await type("Hello");
  assert.equal(root("virtual-sms-composer").querySelector<HTMLButtonElement>(".send")!.disabled, true);
  await type(" +33611111111 ", "input");
  await press(".send", "virtual-sms-composer");
  assert.equal(home.sent[0]!["to"], "+33611111111");
  assert.deepEqual(texts("h2"), ["+33611111111"]);
  assert.equal(root("virtual-sms-composer").querySelector("input"), null);
});

test("who has no number is not answered", async () => {
  const home = new FakeHome();
  home.threads = [thread("MyBank")];
  await show(home);
  await press("li button");
  assert.equal(card.shadowRoot!.querySelector("virtual-sms-composer"), null);
  assert.deepEqual(texts("section .hint"), ["This sender cannot be answered."]);
});

test("Escape goes back to the conversation in the list", async () => {
  await show(withConversation());
  await press("li button");
  const pane = card.shadowRoot!.querySelector("ha-card")!;
  pane.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
  await settle();
  assert.equal(card.shadowRoot!.querySelector(MESSAGES), null);
  assert.equal(card.shadowRoot!.activeElement?.getAttribute("data-correspondent"), ALICE);
  await press("li button");
  await press(".back");
  assert.equal(card.shadowRoot!.querySelector(MESSAGES), null);
});

test("pictures that the home keeps are shown, others are linked to", async () => {
  const home = withConversation();
  const media = { content_type: "image/png", url: null, media_content_id: null };
  home.pages[ALICE]!.messages = [
    message("a", {
      media: [
        { ...media, media_content_id: "media-source://x" },
        { ...media, url: "https://example.org/a.png" },
        { ...media, url: "javascript:alert(1)" },
      ],
    }),
  ];
  await show(home);
  await press("li button");
  const shown = [...root(MESSAGES).querySelectorAll("virtual-sms-attachment")].map(
    (each) => each.shadowRoot!,
  );
  assert.equal(shown[0]!.querySelector("img")!.getAttribute("src"), "/signed/media-source://x");
  assert.equal(shown[1]!.querySelector("img"), null);
  assert.equal(shown[1]!.querySelector("a")!.getAttribute("href"), "https://example.org/a.png");
  assert.equal(shown[2]!.querySelector("a"), null);
  home.trouble["resolve_media"] = new Error("gone");
  await press("li:nth-of-type(2) button");
  await press("li button");
});

test("the picture of a message that is sent meanwhile is shown at once", async () => {
  const home = withConversation();
  await show(home);
  await press("li button");
  home.fire(
    received("new", {
      direction: "outbound",
      status: "queued",
      media: [{ content_type: "image/jpeg", url: null, media_content_id: "media-source://new" }],
    }),
  );
  await settle();
  const [shown] = root(MESSAGES).querySelectorAll("virtual-sms-attachment");
  assert.equal(
    shown!.shadowRoot!.querySelector("img")!.getAttribute("src"),
    "/signed/media-source://new",
  );
});

test("a number that is not there yet is asked again, and says so meanwhile", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const home = withConversation();
  home.trouble["subscribe"] = { code: "not_found", message: "Not loaded" };
  await show(home);
  assert.deepEqual(texts(".problem"), ["Not loaded"]);
  home.trouble = { conversations: { code: "unauthorized" } };
  mock.timers.tick(2_000);
  await settle();
  assert.deepEqual(texts(".problem"), ["unauthorized"]);
  home.trouble = {};
  mock.timers.tick(5_000);
  await settle();
  assert.deepEqual(texts(".problem"), []);
  assert.equal(texts("li").length, 2);
});

test("a conversation that cannot be read says so", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const home = withConversation();
  await show(home);
  home.trouble["conversation"] = { message: "The disk is full" };
  await press("li button");
  assert.deepEqual(texts(".problem"), ["The disk is full"]);
});

test("after a lost connection all is read anew", async () => {
  const home = withConversation();
  await show(home);
  await press("li button");
  home.threads = [thread(ALICE, { last_text: "missed" })];
  home.pages[ALICE] = { messages: [message("missed")], more: false };
  home.ready.forEach((each) => each());
  await settle();
  assert.deepEqual(texts(".last"), ["missed"]);
  assert.deepEqual(texts(".text", MESSAGES), ["text of missed"]);
});

test("a card that is taken away follows nothing any more", async () => {
  const home = withConversation();
  await show(home);
  assert.equal(home.subscribers.size, 1);
  card.remove();
  await settle();
  assert.equal(home.subscribers.size, 0);
  assert.equal(home.ready.size, 0);
});

test("another number is another inbox", async () => {
  const home = withConversation();
  await show(home);
  await press("li button");
  home.threads = [thread(BOB)];
  card.setConfig({ type: "custom:virtual-sms-card", config_entry_id: "other" });
  await settle();
  assert.deepEqual(texts(".name"), [BOB]);
  assert.equal(home.subscribers.size, 1);
  assert.equal(home.asked.at(-1)!["entry_id"], "other");
});

test("an inbox without messages, and a card without a number, say what to do", async () => {
  await show(new FakeHome());
  assert.match(texts("nav .hint")[0]!, /^No conversations yet/);
  assert.deepEqual(texts("section .hint"), ["Choose a conversation."]);
  card.remove();
  await show(new FakeHome(), {});
  assert.deepEqual(texts(".hint"), ["Choose a number in the card's settings."]);
});

test("it speaks French in a French home", async () => {
  const home = withConversation();
  home.language = "fr";
  await show(home);
  assert.deepEqual(texts("nav .count .heard"), ["Non lus : 2"]);
});

test("a message of a long conversation is not lost from sight", async () => {
  await show(withConversation());
  await press("li button");
  const view = card.shadowRoot!.querySelector(MESSAGES) as unknown as ConversationView;
  const log = root(MESSAGES).querySelector<HTMLElement>(".log")!;
  Object.defineProperty(log, "scrollHeight", { value: 2000, configurable: true });
  view.messages = [...view.messages, message("x")];
  await settle();
  assert.equal(log.scrollTop, 2000);
  view.focus();
});

test("the picker knows the card, its settings and where to begin", () => {
  const [entry] = (window as unknown as { customCards: { type: string }[] }).customCards;
  assert.equal(entry!.type, "virtual-sms-card");
  const type = customElements.get("virtual-sms-card") as unknown as typeof Card;
  const home = new FakeHome() as unknown as FakeHome & { entities: object; devices: object };
  assert.deepEqual(type.getStubConfig(home), {});
  home.entities = { a: { platform: "sun" }, b: { platform: "virtual_sms", device_id: "d" } };
  home.devices = { d: { config_entries: ["entry"] } };
  assert.deepEqual(type.getStubConfig(home), { config_entry_id: "entry" });
  const form = type.getConfigForm() as {
    schema: { name: string }[];
    computeLabel: (schema: { name: string }) => string | undefined;
  };
  assert.deepEqual(
    form.schema.map((each) => form.computeLabel(each)),
    ["Number", "Title"],
  );
  assert.equal(form.computeLabel({ name: "other" }), undefined);
  assert.equal(card.getCardSize(), 8);
  assert.ok(card.getGridOptions());
});
