/** What the card uses of Home Assistant's frontend, and the integration's commands. */

export type Unsubscribe = () => void | Promise<void>;

export interface Connection {
  subscribeMessage<T>(
    handle: (event: T) => void,
    message: object,
  ): Promise<Unsubscribe>;
  addEventListener?(type: "ready", handle: () => void): void;
  removeEventListener?(type: "ready", handle: () => void): void;
}

export type Localize = (key: string, values?: Record<string, string>) => string;

export interface Home {
  language: string;
  locale?: { language: string; time_format?: string; time_zone?: string };
  config?: { time_zone?: string };
  connection: Connection;
  callWS<T>(message: object): Promise<T>;
  callService(
    domain: string,
    service: string,
    data: object,
    target: undefined,
    notifyOnError: boolean,
    returnResponse: boolean,
  ): Promise<{ response?: { messages: SendResult[] } }>;
  /** Returns what localizes from then on: this home goes on without what was loaded. */
  loadBackendTranslation?(category: string, integration: string): Promise<Localize>;
  entities?: Record<string, { platform?: string; device_id?: string }>;
  devices?: Record<string, { config_entries?: string[] }>;
}

export interface HomeError {
  code?: string;
  message?: string;
  translation_key?: string;
  translation_domain?: string;
  translation_placeholders?: Record<string, string>;
}

export interface SendResult {
  to: string;
  message_id?: string;
  status?: string;
  error?: string;
}

export interface Thread {
  correspondent: string;
  contact: string | null;
  contact_id: string | null;
  last_at: string;
  last_text: string;
  unread: number;
}

export interface Media {
  content_type: string | null;
  url: string | null;
  media_content_id: string | null;
}

export interface Message {
  message_id: string;
  direction: "inbound" | "outbound";
  text: string;
  at: string;
  status: string | null;
  reason: string | null;
  segments: number;
  media: Media[];
  /** Whom the home believed to have written it, of a message that came in. */
  trust?: string | null;
}

export interface Page {
  messages: Message[];
  more: boolean;
}

export interface LineTraits {
  /** Texts are written with plain characters before they are sent. */
  simplify: boolean;
}

export type HomeEvent =
  | ({
      kind: "message";
      correspondent: string;
      contact: string | null;
      contact_id: string | null;
    } & Message)
  | {
      kind: "status";
      correspondent: string;
      message_id: string;
      status: string;
      reason: string | null;
    }
  | { kind: "read"; correspondent: string };

const DOMAIN = "virtual_sms";

/** The conversations of one number, as the integration tells of them. */
export class Line {
  constructor(
    private readonly home: Home,
    private readonly entryId: string,
  ) {}

  listThreads(): Promise<Thread[]> {
    return this.ask("conversations");
  }

  /** What is not known is as it is at first: nobody is kept from reading by it. */
  describe(): Promise<LineTraits> {
    return this.ask<LineTraits>("line").catch(() => ({ simplify: true }));
  }

  readPage(correspondent: string, before?: string): Promise<Page> {
    return this.ask("conversation", {
      correspondent,
      limit: 50,
      ...(before ? { before } : {}),
    });
  }

  markRead(correspondent: string): Promise<void> {
    return this.ask("mark_read", { correspondent });
  }

  follow(handle: (event: HomeEvent) => void): Promise<Unsubscribe> {
    return this.home.connection.subscribeMessage(handle, {
      type: `${DOMAIN}/subscribe`,
      entry_id: this.entryId,
    });
  }

  /** Send a text by the action, so that permissions and traces hold; raises in words. */
  async send(to: string, message: string): Promise<SendResult> {
    try {
      const { response } = await this.home.callService(
        DOMAIN,
        "send_message",
        { config_entry_id: this.entryId, to, message },
        undefined,
        false,
        true,
      );
      return response?.messages[0] ?? { to };
    } catch (error) {
      throw new Error(await explain(this.home, error as HomeError));
    }
  }

  private ask<T>(command: string, data: object = {}): Promise<T> {
    return this.home.callWS({
      type: `${DOMAIN}/${command}`,
      entry_id: this.entryId,
      ...data,
    });
  }
}

/** Say what went wrong in the language of the home, where it has the sentence. */
export async function explain(home: Home, error: HomeError): Promise<string> {
  const { translation_key: key, translation_domain: domain = DOMAIN } = error;
  const sentence = key
    ? await findSentence(home, domain, key, error.translation_placeholders)
    : "";
  return sentence || error.message || error.code || "";
}

/** Say why a message did not arrive; empty where the home has no sentence for it. */
export function explainReason(home: Home, reason: string | null): Promise<string> {
  const key = reason && reason !== "other" ? `rejected_${reason}` : "rejected";
  return findSentence(home, DOMAIN, key);
}

async function findSentence(
  home: Home,
  domain: string,
  key: string,
  placeholders?: Record<string, string>,
): Promise<string> {
  try {
    const localize = await home.loadBackendTranslation?.("exceptions", domain);
    return localize?.(`component.${domain}.exceptions.${key}.message`, placeholders) ?? "";
  } catch {
    return "";
  }
}
