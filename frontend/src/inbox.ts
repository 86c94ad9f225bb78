/** What the card knows of a number's conversations, and how events change it. */

import type { HomeEvent, Message, Page, Thread } from "./home";

export interface Conversation {
  /** Oldest first, as they are shown. */
  messages: Message[];
  more: boolean;
}

type Of<Kind extends HomeEvent["kind"]> = Extract<HomeEvent, { kind: Kind }>;

export class Inbox {
  threads: Thread[] = [];
  private readonly conversations = new Map<string, Conversation>();

  get(correspondent: string): Conversation | undefined {
    return this.conversations.get(correspondent);
  }

  find(correspondent: string): Thread | undefined {
    return this.threads.find((each) => each.correspondent === correspondent);
  }

  /** Take a list of threads in; what was read of conversations before may be old. */
  begin(threads: Thread[]): void {
    this.threads = threads;
    this.conversations.clear();
  }

  /** Take in a page, which is older than what is there unless nothing is. */
  add(correspondent: string, page: Page): void {
    const known = this.conversations.get(correspondent)?.messages ?? [];
    const ids = new Set(known.map((each) => each.message_id));
    const older = page.messages.filter((each) => !ids.has(each.message_id)).reverse();
    this.conversations.set(correspondent, {
      messages: [...older, ...known],
      more: page.more,
    });
  }

  apply(event: HomeEvent): void {
    switch (event.kind) {
      case "message":
        return this.addMessage(event);
      case "status":
        return this.move(event);
      case "read":
        return this.changeThread(event.correspondent, { unread: 0 });
    }
  }

  private addMessage(event: Of<"message">): void {
    const { kind: _, correspondent, contact, contact_id, ...message } = event;
    const conversation = this.conversations.get(correspondent);
    if (conversation?.messages.some((each) => each.message_id === message.message_id)) {
      return;
    }
    if (conversation) {
      const messages = [...conversation.messages, message].sort(byTime);
      this.conversations.set(correspondent, { ...conversation, messages });
    }
    const before = this.find(correspondent);
    const isNewest = !before || !isOlder(message.at, before.last_at);
    const unread = (before?.unread ?? 0) + (message.direction === "inbound" ? 1 : 0);
    const thread: Thread = {
      correspondent,
      contact,
      contact_id,
      last_at: isNewest ? message.at : before.last_at,
      last_text: isNewest ? message.text : before.last_text,
      unread,
    };
    this.threads = [
      thread,
      ...this.threads.filter((each) => each !== before),
    ].sort((one, other) => Date.parse(other.last_at) - Date.parse(one.last_at));
  }

  private move({ correspondent, message_id, status, reason }: Of<"status">): void {
    const conversation = this.conversations.get(correspondent);
    if (conversation) {
      const messages = conversation.messages.map((each) =>
        each.message_id === message_id ? { ...each, status, reason } : each,
      );
      this.conversations.set(correspondent, { ...conversation, messages });
    }
  }

  private changeThread(correspondent: string, change: Partial<Thread>): void {
    this.threads = this.threads.map((each) =>
      each.correspondent === correspondent ? { ...each, ...change } : each,
    );
  }
}

function isOlder(one: string, other: string): boolean {
  return Date.parse(one) < Date.parse(other);
}

function byTime(one: Message, other: Message): number {
  return Date.parse(one.at) - Date.parse(other.at);
}
