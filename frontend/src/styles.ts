/** How the card looks: by the variables of Home Assistant's themes alone. */

import { css } from "lit";

export const shared = css`
  * {
    box-sizing: border-box;
  }
  button {
    font: inherit;
    color: inherit;
    background: none;
    border: 0;
    cursor: pointer;
  }
  button:focus-visible,
  [tabindex]:focus-visible,
  textarea:focus-visible,
  input:focus-visible {
    outline: 2px solid var(--primary-color, #03a9f4);
    outline-offset: -2px;
  }
  .heard {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .icon {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    flex: none;
    width: 44px;
    height: 44px;
    padding: 0;
    border-radius: 50%;
  }
  svg {
    width: 24px;
    height: 24px;
    fill: currentColor;
  }
  .problem {
    margin: 8px 12px;
    padding: 8px 12px;
    border-inline-start: 4px solid var(--error-color, #db4437);
    background: var(--secondary-background-color, #e5e5e5);
    overflow-wrap: anywhere;
  }
`;

export const ofCard = css`
  :host {
    display: block;
    height: 100%;
    color: var(--primary-text-color, #141414);
  }
  ha-card {
    display: flex;
    flex-direction: column;
    height: 100%;
    min-height: 320px;
    max-height: 560px;
    overflow: hidden;
    container-type: inline-size;
  }
  :host([layout="grid"]) ha-card,
  :host([layout="panel"]) ha-card {
    max-height: none;
  }
  header {
    display: flex;
    align-items: center;
    gap: 4px;
    min-height: 56px;
    padding: 4px 8px 4px 16px;
    border-bottom: 1px solid var(--divider-color, #e0e0e0);
  }
  h2 {
    flex: 1;
    min-width: 0;
    margin: 0;
    font-size: 18px;
    font-weight: 500;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .panes {
    display: flex;
    flex: 1;
    min-height: 0;
  }
  nav,
  section {
    display: flex;
    flex: 1;
    flex-direction: column;
    min-width: 0;
    min-height: 0;
  }
  .open nav,
  .panes:not(.open) section {
    display: none;
  }
  @container (min-width: 640px) {
    .panes nav,
    .panes:not(.open) section,
    .panes section {
      display: flex;
    }
    nav {
      flex: 0 0 38%;
      max-width: 320px;
      border-inline-end: 1px solid var(--divider-color, #e0e0e0);
    }
    .back {
      display: none;
    }
  }
  ul {
    flex: 1;
    margin: 0;
    padding: 0;
    overflow-y: auto;
    list-style: none;
  }
  li button {
    display: grid;
    grid-template-columns: minmax(0, 1fr) auto;
    gap: 2px 8px;
    width: 100%;
    min-height: 60px;
    padding: 8px 16px;
    text-align: start;
    border-bottom: 1px solid var(--divider-color, #e0e0e0);
  }
  li button:hover,
  li button[aria-current="true"] {
    background: var(--secondary-background-color, #e5e5e5);
  }
  .name,
  .last {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .unread .name {
    font-weight: 700;
  }
  .last,
  .when {
    font-size: 13px;
  }
  .count {
    justify-self: end;
    min-width: 20px;
    padding: 0 6px;
    border-radius: 10px;
    font-size: 12px;
    line-height: 20px;
    text-align: center;
    color: var(--card-background-color, #fff);
    background: var(--primary-text-color, #141414);
  }
  .hint {
    margin: auto;
    padding: 24px;
    max-width: 40ch;
    text-align: center;
  }
`;

export const ofConversation = css`
  :host {
    display: flex;
    flex: 1;
    flex-direction: column;
    min-height: 0;
  }
  .log {
    display: flex;
    flex: 1;
    flex-direction: column;
    gap: 4px;
    padding: 8px 12px;
    overflow-y: auto;
    overflow-anchor: none;
  }
  .older {
    align-self: center;
    min-height: 36px;
    padding: 0 12px;
    text-decoration: underline;
  }
  .day {
    align-self: center;
    margin: 8px 0 4px;
    font-size: 12px;
  }
  .message {
    max-width: 85%;
    padding: 6px 10px;
    border-radius: 12px;
    background: var(--secondary-background-color, #e5e5e5);
  }
  .inbound {
    align-self: flex-start;
    border-end-start-radius: 2px;
  }
  .outbound {
    align-self: flex-end;
    border-end-end-radius: 2px;
    background: color-mix(
      in srgb,
      var(--primary-color, #03a9f4) 20%,
      var(--card-background-color, #fff)
    );
  }
  .text {
    margin: 0;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
    unicode-bidi: isolate;
  }
  .meta {
    display: flex;
    align-items: center;
    justify-content: flex-end;
    gap: 4px;
    font-size: 12px;
  }
  .trust {
    margin-inline-end: auto;
    padding-inline-end: 12px;
  }
  .trust.warning {
    font-weight: 500;
    text-decoration: underline;
    text-decoration-color: var(--error-color, #db4437);
    text-decoration-thickness: 2px;
  }
  .meta svg {
    width: 16px;
    height: 16px;
  }
  .reason {
    margin: 4px 0 0;
    padding-inline-start: 8px;
    font-size: 13px;
    border-inline-start: 3px solid var(--error-color, #db4437);
  }
`;

export const ofComposer = css`
  :host {
    display: block;
    border-top: 1px solid var(--divider-color, #e0e0e0);
  }
  form {
    display: flex;
    align-items: flex-end;
    gap: 8px;
    padding: 8px 12px 4px;
  }
  textarea,
  input {
    flex: 1;
    min-width: 0;
    padding: 10px 12px;
    font: inherit;
    color: inherit;
    background: var(--card-background-color, #fff);
    border: 1px solid var(--secondary-text-color, #5e5e5e);
    border-radius: 8px;
  }
  textarea {
    min-height: 44px;
    max-height: 140px;
    resize: none;
    field-sizing: content;
  }
  ::placeholder {
    color: var(--secondary-text-color, #5e5e5e);
    opacity: 1;
  }
  .to {
    display: flex;
    padding: 8px 12px 0;
  }
  .send {
    min-height: 44px;
    padding: 0 16px;
    border-radius: 22px;
    border: 1px solid var(--primary-color, #03a9f4);
    background: color-mix(
      in srgb,
      var(--primary-color, #03a9f4) 20%,
      var(--card-background-color, #fff)
    );
  }
  .send:disabled {
    cursor: default;
    opacity: 0.6;
  }
  .counter {
    margin: 0;
    padding: 0 12px 8px;
    min-height: 20px;
    font-size: 12px;
  }
`;
