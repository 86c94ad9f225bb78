/** Give node what a browser has; imported before anything that needs it. */

import { Window } from "happy-dom";

const window = new Window({ url: "http://localhost/" });
const NAMES = [
  "CSSStyleSheet",
  "Comment",
  "CustomEvent",
  "Document",
  "DocumentFragment",
  "Element",
  "Event",
  "HTMLElement",
  "KeyboardEvent",
  "Node",
  "NodeFilter",
  "ResizeObserver",
  "ShadowRoot",
  "customElements",
  "document",
  "matchMedia",
  "navigator",
];
Object.assign(globalThis, { window });
for (const name of NAMES) {
  const value = (window as unknown as Record<string, unknown>)[name];
  const own = typeof value === "function" && name === "matchMedia" ? value.bind(window) : value;
  Object.defineProperty(globalThis, name, { value: own, configurable: true, writable: true });
}
