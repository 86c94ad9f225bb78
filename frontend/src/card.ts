/** The card of Virtual SMS: the conversations of a number, to read and to answer. */

import { html, LitElement, nothing, type PropertyValues } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { Attachment } from "./attachment";
import { Composer } from "./composer";
import { configForm, findNumber } from "./config";
import { ConversationView } from "./conversation";
import {
  explain,
  Line,
  type Home,
  type HomeError,
  type HomeEvent,
  type Thread,
  type Unsubscribe,
} from "./home";
import * as icons from "./icons";
import { Inbox } from "./inbox";
import { ofCard, shared } from "./styles";
import { speak, type Say } from "./texts";
import { Times } from "./times";

export interface CardConfig {
  type: string;
  config_entry_id?: string;
  title?: string;
}

const NEW = "";
const RETRY_PAUSES = [2_000, 5_000, 15_000, 60_000];

export class VirtualSmsCard extends LitElement {
  static override properties = {
    layout: { reflect: true },
    config: { state: true },
    current: { state: true },
    problem: { state: true },
    sends: { state: true },
    sendProblem: { state: true },
  };
  static override styles = [shared, ofCard];

  layout?: string;
  private config?: CardConfig;
  /** Whom the open conversation is with; NEW to write to somebody else. */
  private current?: string;
  private problem = "";
  private sends = false;
  private sendProblem = "";
  private home?: Home;
  private say: Say = speak("en");
  private times!: Times;
  private inbox = new Inbox();
  private readonly drafts = new Map<string, string>();
  private readonly loading = new Set<string>();
  private unsubscribe?: Unsubscribe;
  private followed?: Home["connection"];
  /** Counts the connections: what belongs to an earlier one is dropped. */
  private turn = 0;
  private retry?: ReturnType<typeof setTimeout>;
  private failures = 0;
  private simplifies = true;

  static getConfigForm = configForm;

  static getStubConfig(home: Home): Partial<CardConfig> {
    const found = findNumber(home);
    return found ? { config_entry_id: found } : {};
  }

  setConfig(config: CardConfig): void {
    const isOther = config.config_entry_id !== this.config?.config_entry_id;
    this.config = config;
    if (isOther) {
      this.current = undefined;
      this.inbox = new Inbox();
      this.drafts.clear();
      this.reconnect();
    }
  }

  getCardSize(): number {
    return 8;
  }

  getGridOptions(): object {
    return { columns: 12, rows: 8, min_columns: 6, min_rows: 5 };
  }

  set hass(home: Home) {
    const before = this.home;
    this.home = home;
    if (before?.locale !== home.locale || before?.language !== home.language) {
      this.say = speak(home.language);
      this.times = new Times(home, this.say);
      this.requestUpdate();
    }
    if (before?.connection !== home.connection) {
      this.reconnect();
    }
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("visibilitychange", this.noteRead);
    this.reconnect();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("visibilitychange", this.noteRead);
    this.disconnect();
  }

  // What the home says

  private get line(): Line | undefined {
    const entryId = this.config?.config_entry_id;
    return this.home && entryId ? new Line(this.home, entryId) : undefined;
  }

  private disconnect(): void {
    this.turn += 1;
    clearTimeout(this.retry);
    this.followed?.removeEventListener?.("ready", this.load);
    this.followed = undefined;
    void this.unsubscribe?.();
    this.unsubscribe = undefined;
  }

  private reconnect(): void {
    this.disconnect();
    if (this.isConnected && this.line) {
      void this.connect(this.turn);
    }
  }

  private async connect(turn: number): Promise<void> {
    try {
      const unsubscribe = await this.line!.follow((event) => this.handle(event, turn));
      if (turn !== this.turn) {
        await unsubscribe();
        return;
      }
      this.unsubscribe = unsubscribe;
      this.followed = this.home!.connection;
      this.followed.addEventListener?.("ready", this.load);
    } catch (error) {
      await this.fail(error as HomeError, turn);
      return;
    }
    await this.load();
  }

  /** Read all anew: what happened while there was no connection was not heard of. */
  private readonly load = async (): Promise<void> => {
    const { turn } = this;
    try {
      const [threads, { simplify }] = await Promise.all([
        this.line!.listThreads(),
        this.line!.describe(),
      ]);
      if (turn !== this.turn) {
        return;
      }
      this.simplifies = simplify;
      this.inbox.begin(threads);
      this.problem = "";
      this.failures = 0;
      this.requestUpdate();
      if (this.current) {
        await this.readOlder(this.current);
      }
    } catch (error) {
      await this.fail(error as HomeError, turn);
    }
  };

  /** Say what is wrong, and try again: a home that starts has no number for a while. */
  private async fail(error: HomeError, turn: number): Promise<void> {
    const problem = await explain(this.home!, error);
    if (turn === this.turn) {
      this.problem = problem;
      const pause = RETRY_PAUSES[Math.min(this.failures, RETRY_PAUSES.length - 1)];
      this.failures += 1;
      this.retry = setTimeout(() => this.reconnect(), pause);
    }
  }

  private handle(event: HomeEvent, turn: number): void {
    if (turn === this.turn) {
      this.inbox.apply(event);
      this.noteRead();
      this.requestUpdate();
    }
  }

  private async readOlder(correspondent: string): Promise<void> {
    const known = this.inbox.get(correspondent);
    if (this.loading.has(correspondent) || (known && !known.more)) {
      return;
    }
    this.loading.add(correspondent);
    const { inbox, turn } = this;
    try {
      const before = known?.messages[0]?.message_id;
      inbox.add(correspondent, await this.line!.readPage(correspondent, before));
      this.noteRead();
      this.requestUpdate();
    } catch (error) {
      await this.fail(error as HomeError, turn);
    } finally {
      this.loading.delete(correspondent);
    }
  }

  /** What stands in the open conversation is read, if somebody can see it. */
  private readonly noteRead = (): void => {
    const { current } = this;
    const unread = current ? (this.inbox.find(current)?.unread ?? 0) : 0;
    if (current && unread && document.visibilityState === "visible") {
      this.inbox.apply({ kind: "read", correspondent: current });
      this.line?.markRead(current).catch(() => undefined);
      this.requestUpdate();
    }
  };

  // What the person does

  private async open(correspondent: string): Promise<void> {
    this.current = correspondent;
    this.sendProblem = "";
    this.noteRead();
    await this.updateComplete;
    const target = this.canAnswer ? "virtual-sms-composer" : "virtual-sms-conversation";
    this.renderRoot.querySelector<HTMLElement>(target)?.focus();
    if (correspondent) {
      await this.readOlder(correspondent);
    }
  }

  private async close(): Promise<void> {
    const { current } = this;
    this.current = undefined;
    await this.updateComplete;
    const threads = [...this.renderRoot.querySelectorAll<HTMLElement>("li button")];
    const thread = threads.find((each) => each.dataset["correspondent"] === current);
    (thread ?? this.renderRoot.querySelector<HTMLElement>(".new"))?.focus();
  }

  private press(event: KeyboardEvent): void {
    if (event.key === "Escape" && this.current !== undefined) {
      event.stopPropagation();
      void this.close();
    }
  }

  private keepDraft(correspondent: string, text: string): void {
    this.drafts.set(correspondent, text);
    this.requestUpdate();
  }

  private async send(event: CustomEvent<{ text: string; recipient: string }>): Promise<void> {
    const { text, recipient } = event.detail;
    const { current = NEW } = this;
    this.sends = true;
    this.sendProblem = "";
    try {
      const { to } = await this.line!.send(current || recipient, text);
      this.drafts.delete(current);
      if (current === NEW && this.current === NEW) {
        await this.open(to);
      }
    } catch (error) {
      this.sendProblem = (error as Error).message;
    } finally {
      this.sends = false;
    }
  }

  /** A name that a sender gives itself, and a short number, cannot be texted. */
  private get canAnswer(): boolean {
    return this.current === NEW || /^\+\d{6,}$/.test(this.current ?? "");
  }

  // What is shown

  protected override shouldUpdate(changed: PropertyValues): boolean {
    return this.home !== undefined && super.shouldUpdate(changed);
  }

  protected override render() {
    const { say } = this;
    return html`<ha-card @keydown=${this.press}>
      ${this.renderHeader()}
      ${this.problem
        ? html`<div class="problem" role="alert">${this.problem}</div>`
        : nothing}
      ${this.config?.config_entry_id
        ? html`<div class="panes ${this.current === undefined ? "" : "open"}">
            <nav aria-label=${say("conversations")}>${this.renderThreads()}</nav>
            ${this.renderConversation()}
          </div>`
        : html`<p class="hint">${say("notConfigured")}</p>`}
    </ha-card>`;
  }

  private renderHeader() {
    const { current, say } = this;
    const title = this.config?.title || say("conversations");
    return html`<header>
      ${current === undefined
        ? nothing
        : html`<button class="icon back" aria-label=${say("back")} @click=${this.close}>
            ${icons.back}
          </button>`}
      <h2>${current === undefined ? title : this.nameOf(current)}</h2>
      <button
        class="icon new"
        aria-label=${say("newMessage")}
        title=${say("newMessage")}
        ?disabled=${!this.config?.config_entry_id}
        @click=${() => this.open(NEW)}
      >
        ${icons.plus}
      </button>
    </header>`;
  }

  private renderThreads() {
    const { threads } = this.inbox;
    if (!threads.length) {
      return html`<p class="hint">${this.problem ? nothing : this.say("empty")}</p>`;
    }
    return html`<ul>
      ${repeat(
        threads,
        (each) => each.correspondent,
        (each) => this.renderThread(each),
      )}
    </ul>`;
  }

  private renderThread(thread: Thread) {
    const { correspondent, unread } = thread;
    return html`<li>
      <button
        class=${unread ? "unread" : ""}
        data-correspondent=${correspondent}
        aria-current=${correspondent === this.current ? "true" : "false"}
        @click=${() => this.open(correspondent)}
      >
        <span class="name" dir="auto">${thread.contact ?? correspondent}</span>
        <time class="when" datetime=${thread.last_at}>${this.times.short(thread.last_at)}</time>
        <span class="last" dir="auto">${thread.last_text}</span>
        ${unread
          ? html`<span class="count"
              ><span class="heard">${this.say("unread", { count: unread })}</span
              ><span aria-hidden="true">${unread}</span></span
            >`
          : nothing}
      </button>
    </li>`;
  }

  private renderConversation() {
    const { current, say } = this;
    if (current === undefined) {
      return html`<section><p class="hint">${say("choose")}</p></section>`;
    }
    const name = this.nameOf(current);
    const conversation = this.inbox.get(current);
    return html`<section aria-label=${name}>
      <virtual-sms-conversation
        .home=${this.home}
        .say=${say}
        .times=${this.times}
        .name=${name}
        .correspondent=${current}
        .messages=${conversation?.messages ?? []}
        .more=${conversation?.more ?? false}
        @older=${() => this.readOlder(current)}
      ></virtual-sms-conversation>
      ${this.canAnswer
        ? html`<virtual-sms-composer
            .say=${say}
            .isNew=${current === NEW}
            .sends=${this.sends}
            .simplifies=${this.simplifies}
            .problem=${this.sendProblem}
            .text=${this.drafts.get(current) ?? ""}
            @draft=${(event: CustomEvent<string>) => this.keepDraft(current, event.detail)}
            @send=${this.send}
          ></virtual-sms-composer>`
        : html`<p class="hint">${say("noAnswer")}</p>`}
    </section>`;
  }

  private nameOf(correspondent: string): string {
    if (correspondent === NEW) {
      return this.say("newMessage");
    }
    return this.inbox.find(correspondent)?.contact ?? correspondent;
  }
}

const ELEMENTS = {
  "virtual-sms-attachment": Attachment,
  "virtual-sms-composer": Composer,
  "virtual-sms-conversation": ConversationView,
  "virtual-sms-card": VirtualSmsCard,
};

for (const [name, element] of Object.entries(ELEMENTS)) {
  // A dashboard may load two versions, one of them from before an update.
  if (!customElements.get(name)) {
    customElements.define(name, element);
  }
}

declare global {
  interface Window {
    customCards?: object[];
  }
}

window.customCards ??= [];
window.customCards.push({
  type: "virtual-sms-card",
  name: "Virtual SMS",
  description: speak(navigator.language)("description"),
  preview: false,
  documentationURL: "https://github.com/virtual-sms/virtual-sms",
});
