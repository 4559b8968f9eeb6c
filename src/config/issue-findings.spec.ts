import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { ConfigError } from './config-fault.ts';
import { readConfig } from './config-reader.ts';
import { duration, percentage, size } from './units.ts';

const rule = z
  .strictObject({
    key: z.enum(['ip', 'principal', 'apiKey', 'global']).default('principal'),
    rate: z.int().min(1).describe('Tokens per period.'),
    per: duration.default(60_000).describe('The period. Default 1m.'),
    cost: z.int().min(1).default(1),
  })
  .refine((options) => options.cost <= options.rate, {
    message: 'expected a cost of at most the rate',
    path: ['cost'],
  })
  .transform((options) => ({ ...options, burst: options.rate }));

const orOff = <Schema extends z.ZodType>(schema: Schema) => z.union([z.literal('off'), schema]);

const policies = z.strictObject({
  authentication: z
    .union([z.literal('public'), z.strictObject({ schemes: z.array(z.enum(['jwt', 'apiKey'])).min(1) })])
    .optional(),
  authorization: z
    .strictObject({ anyRole: z.array(z.string().min(1)).min(1).optional(), when: z.string().optional() })
    .refine((options) => Object.keys(options).length > 0, 'expected at least one condition')
    .optional(),
  rateLimit: orOff(z.union([rule.transform((single) => [single]), z.array(rule).min(1)])).optional(),
  deadline: orOff(duration).optional(),
  bodyLimit: orOff(size).optional(),
  deprecation: z.strictObject({ since: z.iso.date(), link: z.url().optional() }).optional(),
  setHeaders: z.record(z.string().regex(/^[\w-]+$/, 'expected a header field name'), z.string()).optional(),
});

const discovery = z.union([
  z.strictObject({ consul: z.strictObject({ service: z.string() }) }),
  z.strictObject({ dns: z.strictObject({ name: z.string(), type: z.enum(['A', 'SRV']) }) }),
]);

const target = z.url({ protocol: /^https?$/, error: 'expected an http:// or https:// URL' });

const upstream = z.strictObject({
  targets: z.array(z.union([target, z.strictObject({ url: target, weight: z.int().optional() })])).optional(),
  discovery: discovery.optional(),
  balancing: z
    .union([
      z.enum(['roundRobin', 'leastRequests', 'ewma']),
      z.strictObject({ consistentHash: z.enum(['ip', 'principal']) }),
    ])
    .default('leastRequests'),
  errorRate: percentage.optional(),
});

/** The faults without the name of the file and the count. */
function faultLines(schema: z.ZodType, text: string): string[] {
  try {
    readConfig(schema, text, 'g', {});
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message
      .split('\n')
      .slice(0, -1)
      .map((line) => line.replace('g:', ''));
  }
}

describe('the faults of a value with alternatives', () => {
  it.each<[string, string, string[]]>([
    [
      'a mistyped policy',
      'ratelimit: { rate: 5 }',
      [`1:1  ratelimit  unknown key; did you mean "rateLimit"?`],
    ],
    [
      'a mistyped option',
      'rateLimit: { rte: 5 }',
      [`1:14  rateLimit.rte  unknown key; did you mean "rate"?`],
    ],
    [
      'a mistyped option in a list',
      'rateLimit:\n  - rate: 5\n  - { rate: 5, prr: 1m }',
      [`3:16  rateLimit[1].prr  unknown key; did you mean "per"?`],
    ],
    [
      'a mistyped "off"',
      'rateLimit: of',
      [`1:1  rateLimit  expected "off", a map or a list; did you mean "off"?`],
    ],
    [
      'a kind that no alternative takes',
      'rateLimit: 5',
      [`1:1  rateLimit  expected "off", a map or a list, found a whole number`],
    ],
    [
      'a mistyped value that stands for all',
      'authentication: publc',
      [`1:1  authentication  expected "public" or a map; did you mean "public"?`],
    ],
    [
      'a mistyped value in a list',
      'authentication: { schemes: [jwt, apikey] }',
      [`1:34  authentication.schemes[1]  expected one of jwt, apiKey; did you mean "apiKey"?`],
    ],
    [
      'an empty list',
      'authentication: { schemes: [] }',
      [`1:19  authentication.schemes  expected at least 1 item`],
    ],
    [
      'text for a list',
      'authorization: { anyRole: admin }',
      [`1:18  authorization.anyRole  expected a list, found text`],
    ],
    ['what a refinement says', 'authorization: {}', [`1:1  authorization  expected at least one condition`]],
    [
      'what a refinement says about a key, inside an alternative',
      'rateLimit: [{ rate: 1, cost: 4 }]',
      [`1:24  rateLimit[0].cost  expected a cost of at most the rate`],
    ],
    [
      'a duration without a unit',
      'deadline: 5',
      [
        `1:1  deadline  expected "off", or a duration with a unit, such as 250ms or 30s, found a whole number`,
      ],
    ],
    [
      'a duration with a wrong unit',
      'deadline: 5 seconds',
      [`1:1  deadline  expected "off", or a duration with a unit, such as 250ms or 30s`],
    ],
    [
      'a key without a value',
      'bodyLimit:',
      [`1:1  bodyLimit  expected "off", or a size with a unit, such as 64KiB or 1MiB, found nothing`],
    ],
    [
      'numbers out of range',
      'rateLimit: { rate: 0, cost: 1.5 }',
      [
        `1:14  rateLimit.rate  expected at least 1`,
        `1:23  rateLimit.cost  expected a whole number, found a number with a fraction`,
      ],
    ],
    [
      'formats',
      'deprecation: { since: June, link: docs }',
      [
        `1:16  deprecation.since  expected a date, such as 2026-01-31`,
        `1:29  deprecation.link  expected a URL`,
      ],
    ],
  ])('tells, %s', (_title, text, lines) => {
    expect(faultLines(policies, text)).toEqual(lines);
  });

  it.each<[string, string, string[]]>([
    [
      'a bare percentage',
      'errorRate: 50',
      [`1:1  errorRate  expected a percentage, such as 50%, found a whole number`],
    ],
    ['too much of a percentage', 'errorRate: 150%', [`1:1  errorRate  expected at most 100%`]],
    [
      'a mistyped value beside a map',
      'balancing: leastRequest',
      [
        `1:1  balancing  expected one of roundRobin, leastRequests, ewma, or a map; did you mean "leastRequests"?`,
      ],
    ],
    [
      'a mistyped key beside values',
      'balancing: { consistenthash: principal }',
      [`1:14  balancing.consistenthash  unknown key; did you mean "consistentHash"?`],
    ],
    [
      'mistakes inside the alternative that got furthest',
      'discovery: { dns: { nam: x, type: SVR } }',
      [
        `1:21  discovery.dns.nam  unknown key; did you mean "name"?`,
        `1:29  discovery.dns.type  expected one of A, SRV; did you mean "SRV"?`,
      ],
    ],
    [
      'a mistyped key that says which alternative was meant',
      'discovery: { dsn: { name: x, type: A } }',
      [`1:14  discovery.dsn  unknown key; did you mean "dns"?`],
    ],
    [
      'an unknown key that says nothing, with the keys of all alternatives',
      'discovery: { zookeeper: {} }',
      [`1:14  discovery.zookeeper  unknown key; expected one of consul, dns`],
    ],
    [
      'an empty map of alternatives',
      'discovery: {}',
      [`1:1  discovery  expected one of the keys consul, dns`],
    ],
    [
      'several items of a list',
      'targets: [ftp://x, { url: http://x, wieght: 5 }, 5]',
      [
        `1:11  targets[0]  expected an http:// or https:// URL`,
        `1:37  targets[1].wieght  unknown key; did you mean "weight"?`,
        `1:50  targets[2]  expected a map or an http:// or https:// URL, found a whole number`,
      ],
    ],
  ])('tells, %s', (_title, text, lines) => {
    expect(faultLines(upstream, text)).toEqual(lines);
  });
});
