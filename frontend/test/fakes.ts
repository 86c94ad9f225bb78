/** A home whose number says what a test wants. */

import type { Home, HomeEvent, Message, Page, Thread } from "../src/home";

export const ALICE = "+33612345678";
export const BOB = "+33612345679";

export function message(id: string, more: Partial<Message> = {}): Message {
  return {
    message_id: id,
    direction: "inbound",
    text: `text of ${id}`,
    at: "2026-11-27T08:00:00+00:00",
    status: null,
    reason: null,
    segments: 1,
    media: [],
    ...more,
  };
}

export function thread(correspondent: string, more: Partial<Thread> = {}): Thread {
  return {
    correspondent,
    contact: null,
    contact_id: null,
    last_at: "2026-11-27T08:00:00+00:00",
    last_text: "Hello",
    unread: 0,
    ...more,
  };
}

export function received(id: string, more: Partial<Message> = {}, who = ALICE): HomeEvent {
  return {
    kind: "message",
    correspondent: who,
    contact: null,
    contact_id: null,
    ...message(id, more),
  };
}

export class FakeHome implements Home {
  language = "en";
  locale = { language: "en", time_format: "24", time_zone: "server" };
  config = { time_zone: "UTC" };
  threads: Thread[] = [];
  pages: Record<string, Page> = {};
  simplify = true;
  asked: Record<string, unknown>[] = [];
  sent: Record<string, unknown>[] = [];
  trouble: Record<string, unknown> = {};
  sentences: Record<string, string> = {};
  subscribers = new Set<(event: HomeEvent) => void>();
  ready = new Set<() => void>();

  connection = {
    subscribeMessage: async <T>(handle: (event: T) => void) => {
      this.refuse("subscribe");
      const subscriber = handle as (event: HomeEvent) => void;
      this.subscribers.add(subscriber);
      return () => void this.subscribers.delete(subscriber);
    },
    addEventListener: (_: "ready", handle: () => void) => void this.ready.add(handle),
    removeEventListener: (_: "ready", handle: () => void) => void this.ready.delete(handle),
  };

  fire(event: HomeEvent): void {
    this.subscribers.forEach((each) => each(event));
  }

  async callWS<T>(asked: object): Promise<T> {
    const data = asked as Record<string, string>;
    this.asked.push(data);
    const command = data["type"]!.split("/")[1]!;
    this.refuse(command);
    const answers: Record<string, () => unknown> = {
      conversations: () => this.threads,
      conversation: () =>
        this.pages[data["before"] ?? data["correspondent"]!] ?? { messages: [], more: false },
      line: () => ({ simplify: this.simplify }),
      mark_read: () => null,
      resolve_media: () => ({ url: `/signed/${data["media_content_id"]}` }),
    };
    return answers[command]!() as T;
  }

  async callService(_domain: string, _service: string, data: object) {
    const given = data as Record<string, string>;
    this.sent.push(given);
    this.refuse("send");
    return { response: { messages: [{ to: given["to"]!, message_id: "new" }] } };
  }

  async loadBackendTranslation() {
    this.refuse("translations");
    return (key: string, values: Record<string, string> = {}): string => {
      const sentence = this.sentences[key.split(".").at(-2)!] ?? "";
      return sentence.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? "");
    };
  }

  private refuse(what: string): void {
    if (this.trouble[what]) {
      throw this.trouble[what];
    }
  }
}
