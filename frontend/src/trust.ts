/** Whom the home believed to have written a message, and where that is to be shown. */

import type { Message } from "./home";
import type { Key } from "./texts";

const WORDS: Record<string, Key> = {
  known: "known",
  locked: "locked",
  trusted: "trusted",
  unknown: "stranger",
  unproven: "unproven",
};
/** What a person has to know of each message that it is said of. */
const WARNINGS = new Set(["locked", "unproven"]);

export function isWarning(trust: string): boolean {
  return WARNINGS.has(trust);
}

/** Return the word for a message's trust; none where it only repeats the one before. */
export function findTrust(messages: Message[], index: number): Key | undefined {
  const { trust } = messages[index]!;
  if (!trust || (!isWarning(trust) && trust === findTrustBefore(messages, index))) {
    return undefined;
  }
  return WORDS[trust];
}

function findTrustBefore(messages: Message[], index: number): string | undefined {
  const before = messages.slice(0, index).findLast((each) => each.direction === "inbound");
  return before?.trust ?? undefined;
}
