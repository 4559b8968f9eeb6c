import { describe, expect, it } from '@jest/globals';
import { isTimeZone, QuotaCalendar, type QuotaWindow } from './quota-calendar.ts';

const DAY_S = 86_400;
const at = (text: string): number => Date.parse(text) / 1000;

/** Window, zone, an instant, the label of its window, and how many hours that has. */
const ROWS: readonly [QuotaWindow, string, string, string, number][] = [
  // Berlin: clocks go forward on 29 March, and back on 25 October.
  ['day', 'Europe/Berlin', '2026-03-29T12:00:00Z', '2026-03-29', 23],
  ['day', 'Europe/Berlin', '2026-10-25T12:00:00Z', '2026-10-25', 25],
  ['day', 'Europe/Berlin', '2026-03-28T22:59:59Z', '2026-03-28', 24],
  ['day', 'Europe/Berlin', '2026-03-28T23:00:00Z', '2026-03-29', 23],
  ['month', 'Europe/Berlin', '2026-03-31T21:59:59Z', '2026-03', 31 * 24 - 1],
  ['month', 'Europe/Berlin', '2026-03-31T22:00:00Z', '2026-04', 30 * 24],
  ['month', 'Europe/Berlin', '2026-10-15T00:00:00Z', '2026-10', 31 * 24 + 1],
  ['hour', 'Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-25T02+02:00', 1],
  ['hour', 'Europe/Berlin', '2026-10-25T01:30:00Z', '2026-10-25T02+01:00', 1],
  ['hour', 'Europe/Berlin', '2026-10-25T01:00:00Z', '2026-10-25T02+01:00', 1],
  ['hour', 'Europe/Berlin', '2026-03-29T00:59:59Z', '2026-03-29T01+01:00', 1],
  ['hour', 'Europe/Berlin', '2026-03-29T01:00:00Z', '2026-03-29T03+02:00', 1],
  // Santiago: 6 September begins at one o'clock, and 4 April ends an hour late.
  ['day', 'America/Santiago', '2026-09-06T04:00:00Z', '2026-09-06', 23],
  ['day', 'America/Santiago', '2026-09-06T03:59:59Z', '2026-09-05', 24],
  ['day', 'America/Santiago', '2026-04-05T03:30:00Z', '2026-04-04', 25],
  ['hour', 'America/Santiago', '2026-04-05T02:30:00Z', '2026-04-04T23-03:00', 1],
  ['hour', 'America/Santiago', '2026-04-05T03:30:00Z', '2026-04-04T23-04:00', 1],
  // Lord Howe goes by half an hour.
  ['day', 'Australia/Lord_Howe', '2026-04-05T00:00:00Z', '2026-04-05', 24.5],
  ['day', 'Australia/Lord_Howe', '2026-10-04T00:00:00Z', '2026-10-04', 23.5],
  ['hour', 'Australia/Lord_Howe', '2026-04-04T14:45:00Z', '2026-04-05T01+11:00', 1],
  ['hour', 'Australia/Lord_Howe', '2026-04-04T15:15:00Z', '2026-04-05T01+10:30', 0.5],
  ['hour', 'Australia/Lord_Howe', '2026-10-03T15:45:00Z', '2026-10-04T02+11:00', 0.5],
  // Half past is where hours of Kolkata begin; leap days; the ends of months.
  ['hour', 'Asia/Kolkata', '2026-01-01T00:29:59Z', '2026-01-01T05+05:30', 1],
  ['hour', 'Asia/Kolkata', '2026-01-01T00:30:00Z', '2026-01-01T06+05:30', 1],
  ['month', 'UTC', '2028-02-29T23:59:59Z', '2028-02', 29 * 24],
  ['month', 'UTC', '2026-02-28T23:59:59Z', '2026-02', 28 * 24],
  ['day', 'UTC', '2028-02-29T00:00:00Z', '2028-02-29', 24],
  ['day', 'UTC', '2026-12-31T23:59:59Z', '2026-12-31', 24],
  ['month', 'Asia/Tokyo', '2026-12-31T15:00:00Z', '2027-01', 31 * 24],
  // A day that Samoa left out.
  ['day', 'Pacific/Apia', '2011-12-30T09:59:59Z', '2011-12-29', 24],
  ['day', 'Pacific/Apia', '2011-12-30T10:00:00Z', '2011-12-31', 24],
];

describe('QuotaCalendar', () => {
  it.each(ROWS)('knows the %s of %s at %s: %s, %d hours', (window, zone, instant, label, hours) => {
    const calendar = new QuotaCalendar(window, zone);
    const seconds = at(instant);
    const [, , start, end] = calendar.bordersAt(seconds);
    expect(calendar.labelOf(start)).toBe(label);
    expect((end - start) / 3600).toBe(hours);
    expect(seconds).toBeGreaterThanOrEqual(start);
    expect(seconds).toBeLessThan(end);
  });

  it.each([
    ['Europe/Berlin', '2026-10-24T00:00:00Z'],
    ['America/Santiago', '2026-04-04T00:00:00Z'],
    ['Australia/Lord_Howe', '2026-10-02T20:00:00Z'],
    ['America/St_Johns', '2026-03-07T00:00:00Z'],
  ])(
    'tiles more than a year of %s, and the hours around %s, without gap or overlap, by different labels',
    (zone, hours) => {
      for (const window of ['hour', 'day', 'month'] as const) {
        const calendar = new QuotaCalendar(window, zone);
        const labels = new Set<string>();
        let [, , from] = calendar.bordersAt(at(window === 'hour' ? hours : '2026-01-15T00:00:00Z'));
        let count = 0;
        const last = from + DAY_S * { hour: 3, day: 400, month: 500 }[window];
        for (; from < last; count += 1) {
          const [, before, start, end, after] = new QuotaCalendar(window, zone).bordersAt(from);
          expect(start).toBe(from);
          expect(before).toBeLessThan(start);
          expect(calendar.bordersAt(end)).toEqual([before, start, end, after, expect.any(Number)]);
          labels.add(calendar.labelOf(start));
          from = end;
        }
        expect(labels.size).toBe(count);
      }
    },
  );

  it('spells a time zone as the database does', () => {
    expect(new QuotaCalendar('day', 'europe/berlin').timeZone).toBe('Europe/Berlin');
    expect(isTimeZone('Europe/Berlin')).toBe(true);
    expect(isTimeZone('Europe/Atlantis')).toBe(false);
    expect(isTimeZone('')).toBe(false);
  });
});
