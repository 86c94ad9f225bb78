/**
 * Count what a text costs, as the integration does: its alphabet and its segments.
 *
 * A text travels in GSM-7 (160 septets, or 153 in each part of a long one) unless a
 * single character is foreign to it; then all of it travels in UCS-2 (70 units, or 67).
 */

const BASIC =
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
  "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENDED = "^{}\\[~]|€\f";

const WIDTHS = new Map<string, number>([
  ...[...BASIC].map((each) => [each, 1] as const),
  ...[...EXTENDED].map((each) => [each, 2] as const),
]);

export interface SegmentCount {
  segments: number;
  /** What is used of the room, in characters as the alphabet counts them. */
  used: number;
  room: number;
  /** The first character that makes the text dear. */
  foreign: string | null;
}

export function countSegments(text: string): SegmentCount {
  const characters = [...text.replaceAll("\r\n", "\n")];
  const foreign = characters.find((each) => !WIDTHS.has(each)) ?? null;
  const [single, part] = foreign === null ? [160, 153] : [70, 67];
  const widths = characters.map((each) =>
    foreign === null ? WIDTHS.get(each)! : each.length,
  );
  const used = widths.reduce((sum, each) => sum + each, 0);
  if (used <= single) {
    return { segments: 1, used, room: single, foreign };
  }
  const segments = pack(widths, part);
  return { segments, used, room: segments * part, foreign };
}

function pack(widths: number[], part: number): number {
  let segments = 1;
  let room = part;
  for (const width of widths) {
    if (width > room) {
      segments += 1;
      room = part;
    }
    room -= width;
  }
  return segments;
}
