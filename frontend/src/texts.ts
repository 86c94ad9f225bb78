/** The words of the card, in the languages of the integration. */

const ENGLISH = {
  attachment: "Attachment",
  back: "Back to the conversations",
  canceled: "Canceled",
  choose: "Choose a conversation.",
  conversations: "Conversations",
  dear: "“{character}” makes it expensive: {room} instead of {cheap} characters in an SMS",
  delivered: "Delivered",
  description: "Read and answer SMS, conversation by conversation.",
  empty:
    "No conversations yet. What is sent and received appears here, for as long as the options of the number keep it.",
  failed: "Not sent",
  known: "Known contact",
  line: "Number",
  locked: "Locked",
  log: "Messages with {name}",
  message: "Message",
  newMessage: "New message",
  noAnswer: "This sender cannot be answered.",
  notConfigured: "Choose a number in the card's settings.",
  older: "Older messages",
  queued: "Waiting to be sent",
  recipient: "Phone number",
  segments: "{segments} SMS · {used}/{room}",
  send: "Send",
  sending: "Sending…",
  sent: "Sent",
  stranger: "Unknown sender",
  they: "{name} wrote",
  title: "Title",
  today: "Today",
  trusted: "Trusted",
  undelivered: "Not delivered",
  unknown: "It is not known whether it was sent",
  unproven: "Unproven",
  unread: "Unread: {count}",
  we: "You wrote",
  yesterday: "Yesterday",
};

export type Key = keyof typeof ENGLISH;

const FRENCH: Record<Key, string> = {
  attachment: "Pièce jointe",
  back: "Retour aux conversations",
  canceled: "Annulé",
  choose: "Choisissez une conversation.",
  conversations: "Conversations",
  dear: "« {character} » coûte cher : {room} caractères par SMS au lieu de {cheap}",
  delivered: "Distribué",
  description: "Lire les SMS et y répondre, conversation par conversation.",
  empty:
    "Pas encore de conversation. Ce qui est envoyé et reçu apparaît ici, tant que les options du numéro le conservent.",
  failed: "Non envoyé",
  known: "Contact connu",
  line: "Numéro",
  locked: "Verrouillé",
  log: "Messages avec {name}",
  message: "Message",
  newMessage: "Nouveau message",
  noAnswer: "Il n'est pas possible de répondre à cet expéditeur.",
  notConfigured: "Choisissez un numéro dans les réglages de la carte.",
  older: "Messages plus anciens",
  queued: "En attente d'envoi",
  recipient: "Numéro de téléphone",
  segments: "{segments} SMS · {used}/{room}",
  send: "Envoyer",
  sending: "Envoi…",
  sent: "Envoyé",
  stranger: "Expéditeur inconnu",
  they: "{name} a écrit",
  title: "Titre",
  today: "Aujourd'hui",
  trusted: "De confiance",
  undelivered: "Non distribué",
  unknown: "On ne sait pas s'il a été envoyé",
  unproven: "Non prouvé",
  unread: "Non lus : {count}",
  we: "Vous avez écrit",
  yesterday: "Hier",
};

const LANGUAGES: Record<string, Record<Key, string>> = { en: ENGLISH, fr: FRENCH };

export type Say = (key: Key, values?: Record<string, string | number>) => string;

/** Return how to say things in a language; in English where it is not spoken. */
export function speak(language: string | undefined): Say {
  const words = LANGUAGES[(language ?? "en").split("-")[0]!] ?? ENGLISH;
  return (key, values = {}) =>
    words[key].replaceAll(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

export { ENGLISH, FRENCH };
