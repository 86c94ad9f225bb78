/** The box that an answer is written in. */

import { html, LitElement, nothing, type PropertyValues } from "lit";
import { countSegments } from "./segments";
import { simplify } from "./simplify";
import { ofComposer, shared } from "./styles";
import type { Say } from "./texts";

const CHEAP = 160;

export class Composer extends LitElement {
  static override properties = {
    say: { attribute: false },
    isNew: { type: Boolean },
    sends: { type: Boolean },
    simplifies: { type: Boolean },
    problem: {},
    text: {},
    recipient: {},
  };
  static override styles = [shared, ofComposer];

  say!: Say;
  isNew = false;
  sends = false;
  /** The number writes a text with plain characters before it is sent. */
  simplifies = false;
  problem = "";
  text = "";
  recipient = "";

  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>(this.isNew ? "input" : "textarea")?.focus();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("isNew")) {
      this.recipient = "";
    }
  }

  protected override render() {
    const { say } = this;
    return html`
      ${this.problem
        ? html`<div class="problem" role="alert">${this.problem}</div>`
        : nothing}
      ${this.isNew
        ? html`<div class="to">
            <input
              type="tel"
              autocomplete="off"
              aria-label=${say("recipient")}
              placeholder=${say("recipient")}
              .value=${this.recipient}
              @input=${(event: InputEvent) => this.write("recipient", event)}
            />
          </div>`
        : nothing}
      <form @submit=${this.submit}>
        <textarea
          rows="1"
          dir="auto"
          aria-label=${say("message")}
          aria-describedby="counter"
          placeholder=${say("message")}
          ?readonly=${this.sends}
          .value=${this.text}
          @input=${(event: InputEvent) => this.write("text", event)}
          @keydown=${this.press}
        ></textarea>
        <button class="send" ?disabled=${!this.isReady}>
          ${say(this.sends ? "sending" : "send")}
        </button>
      </form>
      <p class="counter" id="counter">${this.text ? this.renderCount() : nothing}</p>
    `;
  }

  private renderCount() {
    const sent = this.simplifies ? simplify(this.text) : this.text;
    const { segments, used, room, foreign } = countSegments(sent);
    const count = this.say("segments", { segments, used, room });
    if (foreign === null) {
      return count;
    }
    const dear = this.say("dear", { character: foreign, room: 70, cheap: CHEAP });
    return `${count} · ${dear}`;
  }

  private get isReady(): boolean {
    return !this.sends && !!this.text.trim() && !(this.isNew && !this.recipient.trim());
  }

  private write(field: "text" | "recipient", event: InputEvent): void {
    this[field] = (event.target as HTMLInputElement | HTMLTextAreaElement).value;
    this.dispatchEvent(new CustomEvent("draft", { detail: this.text }));
  }

  /** Enter sends, as in any chat; on a telephone its key makes a new line. */
  private press(event: KeyboardEvent): void {
    const isPlain = !event.shiftKey && !event.isComposing;
    const sends = event.ctrlKey || event.metaKey || !matchMedia("(pointer: coarse)").matches;
    if (event.key === "Enter" && isPlain && sends) {
      this.submit(event);
    }
  }

  private submit(event: Event): void {
    event.preventDefault();
    if (this.isReady) {
      const detail = { text: this.text, recipient: this.recipient.trim() };
      this.dispatchEvent(new CustomEvent("send", { detail }));
    }
  }
}
