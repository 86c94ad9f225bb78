/** The messages with a correspondent, the newest below. */

import { html, LitElement, nothing, type PropertyValues } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { explainReason, type Home, type Message } from "./home";
import * as icons from "./icons";
import { ofConversation, shared } from "./styles";
import type { Key, Say } from "./texts";
import type { Times } from "./times";
import { findTrust, isWarning } from "./trust";

const NEAR = 60;
const REFUSALS = new Set(["failed", "undelivered"]);
const FAILURES = new Set([...REFUSALS, "canceled", "unknown"]);

export class ConversationView extends LitElement {
  static override properties = {
    home: { attribute: false },
    say: { attribute: false },
    times: { attribute: false },
    name: {},
    correspondent: {},
    messages: { attribute: false },
    more: { type: Boolean },
    reasons: { state: true },
  };
  static override styles = [shared, ofConversation];

  home!: Home;
  say!: Say;
  times!: Times;
  name = "";
  correspondent = "";
  messages: Message[] = [];
  more = false;
  private reasons = new Map<string, string>();
  private isAtEnd = true;
  // The box below grows while one writes, and must not hide the newest message.
  private readonly resizes = new ResizeObserver(() => this.stay());
  private below = 0;

  override focus(): void {
    this.log?.focus();
  }

  private get log(): HTMLElement | null {
    return this.renderRoot.querySelector(".log");
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.updateComplete.then(() => this.log && this.resizes.observe(this.log));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.resizes.disconnect();
  }

  private stay(): void {
    const { log } = this;
    if (log && this.isAtEnd) {
      log.scrollTop = log.scrollHeight;
    }
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("correspondent")) {
      this.isAtEnd = true;
    }
    if (changed.has("messages")) {
      this.below = this.log ? this.log.scrollHeight - this.log.scrollTop : 0;
      this.messages.filter(isRefused).forEach(this.learn);
    }
  }

  /** Stay at the end, or with what is being read while older messages come above it. */
  protected override updated(changed: PropertyValues<this>): void {
    const { log } = this;
    if (!log || !changed.has("messages")) {
      return;
    }
    const before = changed.get("messages") as Message[] | undefined;
    const isOlder = before?.[0]?.message_id !== this.messages[0]?.message_id;
    this.stay();
    if (isOlder && !this.isAtEnd) {
      log.scrollTop = log.scrollHeight - this.below;
    }
  }

  protected override render() {
    const { say } = this;
    return html`<div
      class="log"
      role="log"
      tabindex="0"
      aria-label=${say("log", { name: this.name })}
      @scroll=${this.noteScroll}
    >
      ${this.more
        ? html`<button class="older" @click=${this.askForOlder}>${say("older")}</button>`
        : nothing}
      ${repeat(
        this.messages,
        (each) => each.message_id,
        (each, index) => this.renderMessage(each, index),
      )}
    </div>`;
  }

  private renderMessage(message: Message, index: number) {
    const { times } = this;
    const before = this.messages[index - 1];
    const isNewDay = !before || times.key(before.at) !== times.key(message.at);
    const isOurs = message.direction === "outbound";
    const who = isOurs ? this.say("we") : this.say("they", { name: this.name });
    return html`${isNewDay ? html`<div class="day">${times.date(message.at)}</div>` : nothing}
      <div class="message ${isOurs ? "outbound" : "inbound"}">
        <span class="heard">${who}</span>
        ${message.media.map(
          (each) =>
            html`<virtual-sms-attachment
              .home=${this.home}
              .say=${this.say}
              .media=${each}
            ></virtual-sms-attachment>`,
        )}
        <p class="text" dir="auto">${message.text}</p>
        <div class="meta">
          ${this.renderTrust(message, index)}
          <time datetime=${message.at}>${times.time(message.at)}</time>
          ${message.status ? this.renderStatus(message.status) : nothing}
        </div>
        ${this.renderReason(message)}
      </div>`;
  }

  private renderTrust({ trust }: Message, index: number) {
    const word = findTrust(this.messages, index);
    return word
      ? html`<span class="trust ${isWarning(trust!) ? "warning" : ""}">${this.say(word)}</span>`
      : nothing;
  }

  private renderStatus(status: string) {
    const word = this.say(status as Key);
    return html`<span role="img" aria-label=${word} title=${word}
      >${icons.ofStatus[status] ?? nothing}</span
    >`;
  }

  private renderReason(message: Message) {
    if (!FAILURES.has(message.status ?? "")) {
      return nothing;
    }
    const sentence = isRefused(message) && this.reasons.get(reasonKey(message));
    const word = this.say(message.status as Key);
    return html`<p class="reason">${sentence ? `${word}. ${sentence}` : `${word}.`}</p>`;
  }

  private readonly learn = (message: Message): void => {
    const key = reasonKey(message);
    if (!this.reasons.has(key)) {
      this.reasons.set(key, "");
      void explainReason(this.home, message.reason).then((sentence) => {
        this.reasons = new Map(this.reasons).set(key, sentence);
      });
    }
  };

  private noteScroll(): void {
    const { log } = this;
    if (!log) {
      return;
    }
    this.isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
    if (log.scrollTop < NEAR && this.more && !this.isAtEnd) {
      this.askForOlder();
    }
  }

  private askForOlder(): void {
    this.isAtEnd = false;
    this.dispatchEvent(new CustomEvent("older"));
  }
}

function isRefused(message: Message): boolean {
  return REFUSALS.has(message.status ?? "");
}

function reasonKey(message: Message): string {
  return message.reason ?? "other";
}
