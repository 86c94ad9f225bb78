/** The few pictures of the card: paths of Material Design Icons, Apache 2.0. */

import { svg, type SVGTemplateResult } from "lit";

function draw(path: string): SVGTemplateResult {
  return svg`<svg viewBox="0 0 24 24" aria-hidden="true"><path d=${path} /></svg>`;
}

export const back = draw("M20,11V13H8L13.5,18.5L12.08,19.92L4.16,12L12.08,4.08L13.5,5.5L8,11H20Z");
export const plus = draw("M19,13H13V19H11V13H5V11H11V5H13V11H19V13Z");

const CLOCK = draw(
  "M12,20A8,8 0 0,0 20,12A8,8 0 0,0 12,4A8,8 0 0,0 4,12A8,8 0 0,0 12,20M12,2A10,10 0 0,1 22,12A10,10 0 0,1 12,22C6.47,22 2,17.5 2,12A10,10 0 0,1 12,2M12.5,7V12.25L17,14.92L16.25,16.15L11,13V7H12.5Z",
);
const TICK = draw("M21,7L9,19L3.5,13.5L4.91,12.09L9,16.17L19.59,5.59L21,7Z");
const TICKS = draw(
  "M0.41,13.41L6,19L7.41,17.58L1.83,12M22.24,5.58L11.66,16.17L7.5,12L6.07,13.41L11.66,19L23.66,7M18,7L16.59,5.58L10.24,11.93L11.66,13.34L18,7Z",
);
const TROUBLE = draw("M13,13H11V7H13M13,17H11V15H13M12,2A10,10 0 0,0 2,12A10,10 0 0,0 12,22A10,10 0 0,0 22,12A10,10 0 0,0 12,2Z");

export const ofStatus: Record<string, SVGTemplateResult> = {
  queued: CLOCK,
  sent: TICK,
  delivered: TICKS,
  undelivered: TROUBLE,
  failed: TROUBLE,
  canceled: TROUBLE,
  unknown: TROUBLE,
};
