import { z } from 'zod';
import { urlFault, urlText, type UrlRules } from './url.ts';

const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const SIZE_UNITS_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
};

function quantity(units: Readonly<Record<string, number>>, what: string, example: string) {
  const pattern = new RegExp(`^(\\d+(?:\\.\\d+)?)(${Object.keys(units).join('|')})$`);
  return z
    .string({ error: `expected ${what} with a unit, such as ${example}` })
    .regex(pattern, `expected ${what} with a unit, such as ${example}`)
    .transform((text) => {
      const [, number = '0', unit = ''] = pattern.exec(text) ?? [];
      return Math.round(Number(number) * (units[unit] ?? 0));
    })
    .refine(Number.isSafeInteger, `expected ${what} of a size that somebody could mean`);
}

/** A duration with a unit (`250ms`, `30s`, `1m`, `1h`, `1d`); parses to milliseconds. */
export const duration = quantity(DURATION_UNITS_MS, 'a duration', '250ms or 30s');

/** Writes milliseconds as a file would, in the largest unit of which they are a whole number: `1m`, `90s`, `250ms`. */
export function durationText(ms: number): string {
  const units = Object.entries(DURATION_UNITS_MS);
  const [unit, size] = units.findLast(([, unitMs]) => ms >= unitMs && ms % unitMs === 0) ?? ['ms', 1];
  return `${ms / size}${unit}`;
}

/** Writes a fraction between 0 and 1 as a file would: `0.1%`. */
export function percentText(share: number): string {
  return `${Number((share * 100).toFixed(3))}%`;
}

/** A size in bytes with a unit (`512B`, `64KiB`, `1MiB`); parses to bytes. */
export const size = quantity(SIZE_UNITS_BYTES, 'a size', '64KiB or 1MiB');

/** A percentage (`50%`); parses to a fraction between 0 and 1. */
export const percentage = z
  .string({ error: 'expected a percentage, such as 50%' })
  .regex(/^\d+(\.\d+)?%$/, 'expected a percentage, such as 50%')
  .transform((text) => Number(text.slice(0, -1)) / 100)
  .refine((fraction) => fraction <= 1, 'expected at most 100%');

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A duration that a timer can wait for: at most 24 days, beyond which Node's timers fire at once. */
export const timerDuration = duration.refine((ms) => ms <= LONGEST_TIMER_MS, 'expected at most 24d');

const PAGE: UrlRules = { schemes: ['http', 'https'], example: 'https://app.example.com', rest: 'nothing' };

/** An origin of web pages (RFC 6454), such as `https://app.example.com`. */
export const pageOrigin = urlText(PAGE).refine(
  // Compared as a text with what browsers say, who write neither capitals nor the port of the scheme.
  (text) => urlFault(text, PAGE) !== undefined || URL.parse(text)?.origin === text,
  'expected the origin as browsers write it, in lower case and without the port of its scheme',
);
