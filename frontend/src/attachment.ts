/** A picture, or another file, of a message. */

import { css, html, LitElement, type PropertyValues } from "lit";
import type { Home, Media } from "./home";
import { shared } from "./styles";
import type { Say } from "./texts";

export class Attachment extends LitElement {
  static override properties = {
    home: { attribute: false },
    media: { attribute: false },
    say: { attribute: false },
    address: { state: true },
  };
  static override styles = [
    shared,
    css`
      img {
        display: block;
        max-width: 100%;
        max-height: 240px;
        border-radius: 8px;
      }
      a {
        color: inherit;
      }
    `,
  ];

  home!: Home;
  media!: Media;
  say!: Say;
  private address = "";

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("media")) {
      void this.resolve(this.media);
    }
  }

  protected override render() {
    const label = this.say("attachment");
    if (!this.address) {
      return html`${label}`;
    }
    if (this.media.media_content_id && this.media.content_type?.startsWith("image/")) {
      return html`<a href=${this.address} target="_blank" rel="noreferrer"
        ><img src=${this.address} alt=${label} loading="lazy"
      /></a>`;
    }
    return html`<a href=${this.address} target="_blank" rel="noreferrer">${label}</a>`;
  }

  /** What the home keeps is shown; what lies elsewhere is only linked to. */
  private async resolve({ media_content_id: id, url }: Media): Promise<void> {
    this.address = "";
    if (id) {
      try {
        const found = await this.home.callWS<{ url: string }>({
          type: "media_source/resolve_media",
          media_content_id: id,
        });
        this.address = found.url;
      } catch {
        // It is gone: its name is shown.
      }
    } else if (url && /^https?:\/\//.test(url)) {
      this.address = url;
    }
  }
}
