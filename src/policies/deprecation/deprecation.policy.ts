import { z } from 'zod';
import { definePolicy } from '../policy.ts';

const date = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?Z)?$/, {
    error: 'expected a day or a time in UTC, such as 2027-01-01 or 2027-01-01T12:00:00Z',
    abort: true,
  })
  .refine((text) => isReal(text), 'expected a day that there is');
const address = z
  .string()
  .max(2048, 'expected at most 2048 characters')
  .regex(
    /^(?:https?:\/\/[!#-;=?-[\]-~]+|\/[!#-;=?-[\]-~]*)$/,
    'expected a percent-encoded URL, or a path that starts with "/"',
  );

/** Tells clients that a route goes, and when. */
export const deprecationPolicy = definePolicy({
  name: 'deprecation',
  schema: z
    .strictObject({
      since: date.describe('Since when it is deprecated: 2026-06-01, or a time in UTC; may lie ahead.'),
      sunset: date.optional().describe('When it will be gone. Default: nobody knows yet.'),
      link: address
        .optional()
        .describe('Where to read about it: `Link` with rel="deprecation", and "sunset".'),
      successor: address.optional().describe('What to call instead: `Link` with rel="successor-version".'),
      afterSunset: z
        .enum(['serve', 'gone'])
        .default('serve')
        .describe(
          'What comes of a request after `sunset`: it is served, or 410 names the successor. Default serve.',
        ),
    })
    .refine((one) => one.sunset === undefined || timeOf(one.sunset) >= timeOf(one.since), {
      path: ['sunset'],
      error: 'expected a time that is not before `since`',
    })
    .refine((one) => one.afterSunset !== 'gone' || one.sunset !== undefined, {
      path: ['sunset'],
      error: 'expected a time, after which `afterSunset` says `gone`',
    })
    .describe('Says that a route goes, and when.'),
  summary:
    'Says of a route, or of a version of it, that it goes: `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and `Link` on everything that is answered for it. Counts who still calls it, and refuses to answer after the sunset where it says so.',
  per: 'connection',
  before: 'body',
  refusesWith: ['version-gone'],
  refuses: ({ afterSunset }) => (afterSunset === 'gone' ? ['version-gone'] : []),
  answerFields: {
    deprecation: {
      description: 'Since when this is deprecated: `@` and seconds since the epoch (RFC 9745).',
    },
  },
  describe: ({ since, sunset, afterSunset }) =>
    `since ${since}${sunset === undefined ? '' : `, until ${sunset}`}${afterSunset === 'gone' ? ', then 410' : ''}`,
});

/** Says of a controller or handler that it goes. */
export const Deprecation = deprecationPolicy.decorator;

/** A date of the configuration in ms since the epoch; a day begins at midnight in UTC. */
export function timeOf(text: string): number {
  return Date.parse(text);
}

// `Date.parse` takes a 30th of February for the 2nd of March.
function isReal(text: string): boolean {
  const time = timeOf(text);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text.replace(/Z$/, ''));
}
