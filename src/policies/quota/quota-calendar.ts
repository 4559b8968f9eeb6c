/** The windows that quotas are counted in. */
export const QUOTA_WINDOWS = ['hour', 'day', 'month'] as const;
/** One of {@link QUOTA_WINDOWS}. */
export type QuotaWindow = (typeof QUOTA_WINDOWS)[number];

/**
 * Five instants, in seconds since the epoch: where the window before the last begins, the last, the present and the next one,
 * and where that ends. Whoever has another clock finds its window among them.
 */
export type Borders = readonly [number, number, number, number, number];

const HOUR_S = 3600;

/**
 * The calendar of one time zone, cut into windows of one size. A month begins with its first instant there, a day too, whether
 * it has 23, 24 or 25 hours. An hour is one of the clocks there, under one offset: where clocks go back, the repeated hour is a
 * window of its own, and where they go by half an hour, windows of half an hour come of it.
 */
export class QuotaCalendar {
  readonly window: QuotaWindow;
  /** Its name as the time zone database spells it. */
  readonly timeZone: string;
  /** What is kept from the last time: the clock has mostly not reached a border since. */
  #borders: Borders | undefined = undefined;

  /** @throws {RangeError} for a time zone that nobody knows. */
  constructor(window: QuotaWindow, timeZone: string) {
    this.window = window;
    this.timeZone = Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(timeZone).timeZoneId;
  }

  /** The windows around an instant, in seconds since the epoch; the third border is the last one that is not after it. */
  bordersAt(seconds: number): Borders {
    const known = this.#borders;
    if (known !== undefined && seconds >= known[2] && seconds < known[3]) return known;
    const start = this.#startOf(seconds);
    const last = this.#startOf(start - 1);
    const end = this.#endOf(start);
    return (this.#borders = [this.#startOf(last - 1), last, start, end, this.#endOf(end)]);
  }

  /**
   * What a window is called, by where it begins: `2026-03`, `2026-03-29`, or `2026-10-25T02+01:00` with the offset, which tells
   * the two hours apart that have the same name.
   */
  labelOf(startSeconds: number): string {
    const at = this.#at(startSeconds);
    const date = at.toPlainDate().toString();
    if (this.window === 'month') return date.slice(0, 7);
    return this.window === 'day' ? date : `${date}T${String(at.hour).padStart(2, '0')}${at.offset}`;
  }

  #at(seconds: number): Temporal.ZonedDateTime {
    return Temporal.Instant.fromEpochMilliseconds(seconds * 1000).toZonedDateTimeISO(this.timeZone);
  }

  #startOf(seconds: number): number {
    const at = this.#at(seconds);
    if (this.window === 'hour') {
      // Strictly before, which the present instant may be as well.
      const change = this.#at(seconds + 1).getTimeZoneTransition('previous');
      const whole = seconds - (at.minute * 60 + at.second);
      return change === null ? whole : Math.max(whole, secondsOf(change));
    }
    return secondsOf((this.window === 'month' ? at.with({ day: 1 }) : at).startOfDay());
  }

  #endOf(startSeconds: number): number {
    const at = this.#at(startSeconds);
    if (this.window === 'hour') {
      const change = at.getTimeZoneTransition('next');
      const whole = startSeconds + HOUR_S - (at.minute * 60 + at.second);
      return change === null ? whole : Math.min(whole, secondsOf(change));
    }
    const [date, step] = this.window === 'month' ? [at.with({ day: 1 }), { months: 1 }] : [at, { days: 1 }];
    for (let steps = date.toPlainDate().add(step); ; steps = steps.add(step)) {
      const end = secondsOf(steps.toZonedDateTime(this.timeZone));
      // A day that a zone leaves out begins with the one after it.
      if (end > startSeconds) return end;
    }
  }
}

/** Whether anybody knows a time zone. */
export function isTimeZone(name: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name);
    return true;
  } catch {
    return false;
  }
}

function secondsOf(at: { readonly epochMilliseconds: number }): number {
  return Math.floor(at.epochMilliseconds / 1000);
}
