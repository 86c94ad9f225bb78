/** The form of the card's settings, and what it begins with. */

import type { Home } from "./home";
import { speak, type Key } from "./texts";

const PLATFORM = "virtual_sms";
const LABELS: Record<string, Key> = { config_entry_id: "line", title: "title" };

export function configForm(): object {
  return {
    schema: [
      {
        name: "config_entry_id",
        required: true,
        selector: { config_entry: { integration: PLATFORM } },
      },
      { name: "title", selector: { text: {} } },
    ],
    computeLabel: ({ name }: { name: string }) => {
      const key = LABELS[name];
      return key && speak(languageOfPage())(key);
    },
  };
}

/** Return the config entry of a number of the home, if it has one. */
export function findNumber(home: Home): string | undefined {
  const entities = Object.values(home.entities ?? {});
  const ours = entities.find((each) => each.platform === PLATFORM && each.device_id);
  return home.devices?.[ours?.device_id ?? ""]?.config_entries?.[0];
}

function languageOfPage(): string | undefined {
  return document.querySelector<HTMLElement & { hass?: Home }>("home-assistant")?.hass
    ?.language;
}
