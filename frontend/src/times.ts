/** Times as the person reads them: in their language, clock and time zone. */

import type { Home } from "./home";
import type { Say } from "./texts";

export class Times {
  private readonly zone: string | undefined;
  private readonly clock: Intl.DateTimeFormat;
  private readonly day: Intl.DateTimeFormat;
  private readonly sortable: Intl.DateTimeFormat;

  constructor(
    home: Home,
    private readonly say: Say,
    private readonly now: () => number = Date.now,
  ) {
    const locale: NonNullable<Home["locale"]> = home.locale ?? {
      language: home.language,
    };
    const { language, time_format: format, time_zone: zone } = locale;
    this.zone = zone === "server" ? home.config?.time_zone : undefined;
    const hour12 = format === "12" ? true : format === "24" ? false : undefined;
    this.clock = this.make(language, { hour: "numeric", minute: "2-digit", hour12 });
    this.day = this.make(language, { day: "numeric", month: "long", year: "numeric" });
    this.sortable = this.make("en-CA", { day: "2-digit", month: "2-digit", year: "numeric" });
  }

  /** Return the time of day. */
  time(at: string): string {
    return this.clock.format(new Date(at));
  }

  /** Return the day, in a word where there is one. */
  date(at: string): string {
    const day = this.key(at);
    const now = this.now();
    if (day === this.key(now)) {
      return this.say("today");
    }
    return day === this.key(now - 86_400_000)
      ? this.say("yesterday")
      : this.day.format(new Date(at));
  }

  /** Return the time today, else the day. */
  short(at: string): string {
    return this.key(at) === this.key(this.now()) ? this.time(at) : this.date(at);
  }

  /** Return what tells one day from another. */
  key(at: string | number): string {
    return this.sortable.format(new Date(at));
  }

  private make(
    language: string | undefined,
    options: Intl.DateTimeFormatOptions,
  ): Intl.DateTimeFormat {
    return new Intl.DateTimeFormat(language, { ...options, timeZone: this.zone });
  }
}
