import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { ConfigError } from './config-fault.ts';
import { readConfig } from './config-reader.ts';
import { duration, percentage, size } from './units.ts';
import { faultsText, toFaults } from './zod-faults.ts';

const orOff = <Schema extends z.ZodType>(inner: Schema) => z.union([z.literal('off'), inner]);

const policies = z.strictObject({
  authentication: z.enum(['public', 'jwt']).optional(),
  deadline: orOff(duration).optional(),
  bodyLimit: orOff(size).optional(),
  rateLimit: orOff(z.strictObject({ rate: z.int() })).optional(),
  deprecation: z.strictObject({ since: z.iso.date() }).optional(),
  setHeaders: z.record(z.string().regex(/^[\w.-]+$/, 'expected a header field name'), z.string()).optional(),
});

const key = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('file'), path: z.string() }),
  z.strictObject({ kind: z.literal('secret'), value: z.string().min(8) }),
]);

/** The shapes that the configuration of a gateway has. */
const schema = z.strictObject({
  version: z.literal(1),
  defaults: z.strictObject({ policies: policies.optional() }).optional(),
  keys: z.array(key).optional(),
  upstreams: z.record(z.string(), z.strictObject({ share: percentage })).optional(),
  routes: z.array(
    z.strictObject({
      id: z.string().min(1),
      match: z.strictObject({
        path: z.string().startsWith('/'),
        methods: z.array(z.string()).optional(),
        headers: z.record(z.string(), z.string()).optional(),
      }),
      upstream: z.string(),
      policies: policies.optional(),
    }),
  ),
});

function faultLines(text: string): string[] {
  try {
    readConfig(schema, text, 'g.yaml', {});
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n').slice(0, -1);
    throw error;
  }
}

const indent = (text: string, by: number) => text.replaceAll(/^/gm, ' '.repeat(by));

/** Policies start on line 7, column 7. */
const inPolicies = (text: string) =>
  `version: 1\nroutes:\n  - id: users\n    match: { path: /users }\n    upstream: users\n    policies:\n${indent(text, 6)}\n`;

const P = 'routes[users].policies';

describe('toFaults', () => {
  it.each<[string, string, string[]]>([
    ['an empty file', '', ['g.yaml:1:1  expected a map, found nothing']],
    ['a list instead of a map', '- a\n', ['g.yaml:1:1  expected a map, found a list']],
    ['text instead of a map', 'hello\n', ['g.yaml:1:1  expected a map, found text']],
    ['another value than the only one', 'version: 2\nroutes: []\n', ['g.yaml:1:1  version  expected 1']],
    [
      'the right value as text',
      'version: "1"\nroutes: []\n',
      ['g.yaml:1:1  version  expected 1, found text'],
    ],
    [
      'an unknown key that is near nothing',
      'version: 1\nroutes: []\nmetrics: {}\n',
      ['g.yaml:3:1  metrics  unknown key; expected one of version, defaults, keys, upstreams, routes'],
    ],
    [
      'a key beside the one that it belongs into, and that one only once',
      'version: 1\nroutes:\n  - { id: a, path: /a, upstream: b }\n  - { id: c, match: { path: /c }, path: /d, deadline: 1s, upstream: e }\n',
      [
        'g.yaml:3:14  routes[a].path  unknown key; did you mean "match.path"?',
        'g.yaml:4:35  routes[c].path  unknown key; did you mean "match"?',
        'g.yaml:4:45  routes[c].deadline  unknown key; did you mean "policies.deadline"?',
      ],
    ],
    [
      'missing keys at their parent, and the mistyped one of them once',
      'version: 1\nroutes:\n  - id: a\n    match: {}\n  - upstram: b\n    match: { path: x }\n',
      [
        'g.yaml:3:5  routes[a].upstream  missing key; expected text',
        'g.yaml:4:5  routes[a].match.path  missing key; expected text',
        'g.yaml:5:5  routes[1].id  missing key; expected text',
        'g.yaml:5:5  routes[1].upstram  unknown key; did you mean "upstream"?',
        'g.yaml:6:14  routes[1].match.path  expected text that starts with "/"',
      ],
    ],
    [
      'numbers and booleans where text belongs, and the way out',
      inPolicies('setHeaders: { "a b": x, c: 5, x.d: true }'),
      [
        `g.yaml:7:21  ${P}.setHeaders["a b"]  invalid key; expected a header field name`,
        `g.yaml:7:31  ${P}.setHeaders.c  expected text, found a whole number; put it in quotes`,
        `g.yaml:7:37  ${P}.setHeaders["x.d"]  expected text, found true; put it in quotes`,
      ],
    ],
    [
      'a mistake inside an anchor once, at the anchor',
      'version: 1\ndefaults: { policies: &p { deadlin: 5s } }\nroutes:\n  - { id: a, match: { path: /x }, upstream: u, policies: *p }\n',
      ['g.yaml:2:28  defaults.policies.deadlin  unknown key; did you mean "deadline"?'],
    ],
    [
      'a mistake in a map of named things',
      'version: 1\nroutes: []\nupstreams: { users: { share: 50 }, "a b": { shar: 5% } }\n',
      [
        'g.yaml:3:23  upstreams.users.share  expected a percentage, such as 50%, found a whole number',
        'g.yaml:3:45  upstreams["a b"].shar  unknown key; did you mean "share"?',
      ],
    ],
    [
      'options told apart by a key',
      'version: 1\nroutes: []\nkeys:\n  - { kind: fiel, path: x }\n  - { kind: file, pth: x }\n  - { kind: secret, value: short }\n  - { path: x }\n',
      [
        'g.yaml:4:7  keys[0].kind  expected one of file, secret; did you mean "file"?',
        'g.yaml:5:19  keys[1].pth  unknown key; did you mean "path"?',
        'g.yaml:6:21  keys[2].value  expected at least 8 characters',
        'g.yaml:7:5  keys[3].kind  missing key; expected one of file, secret',
      ],
    ],
    [
      'an unset variable, and not its schema fault, beside other faults',
      inPolicies('deadline: ${NOPE}\nrateLimit: { rate: few }'),
      [
        `g.yaml:7:17  ${P}.deadline  environment variable NOPE is not set and has no default`,
        `g.yaml:8:20  ${P}.rateLimit.rate  expected a number, found text`,
      ],
    ],
    [
      'a duplicate key beside schema faults',
      'version: 1\nversion: 1\nroute: []\n',
      [
        'g.yaml:2:1  version  duplicate key; expected each key once',
        'g.yaml:3:1  route  unknown key; did you mean "routes"?',
      ],
    ],
  ])('tells %s', (_title, text, lines) => {
    expect(faultLines(text)).toEqual(lines);
  });

  it('names the route', () => {
    const attempt = () => readConfig(schema, inPolicies('deadline: 5'), 'g.yaml', {});
    expect(attempt).toThrow(
      expect.objectContaining({ faults: [expect.objectContaining({ routeId: 'users' })] }),
    );
  });

  it('never prints what a variable holds', () => {
    const text = inPolicies('deadline: ${SECRET}\nauthentication: ${SECRET}\nbodyLimit: "${SECRET}"');
    expect(() => readConfig(schema, text, 'g.yaml', { SECRET: 'hunter2hunter2' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
    );
  });

  it('has nothing to say about a good file', () => {
    const good = inPolicies('deadline: ${D:-5s}\nrateLimit: { rate: 5 }\ndeprecation: { since: 2026-06-01 }');
    expect(readConfig(schema, good, 'g.yaml', {}).value.routes[0]?.policies).toEqual({
      deadline: 5000,
      rateLimit: { rate: 5 },
      deprecation: { since: '2026-06-01' },
    });
  });
});

describe('faultsText', () => {
  const order = z.strictObject({
    jti: z.string(),
    expiresAt: z.union([z.number(), z.iso.datetime()]).optional(),
  });
  const orders = z.union([order, z.array(order)]);

  it.each<[string, unknown, string]>([
    ['a mistyped key', { jti: 'a', expireAt: 1 }, 'expireAt: unknown key; did you mean "expiresAt"?'],
    ['what is no order', 7, 'expected a map or a list, found a whole number'],
    [
      'two things',
      [{ jti: 1, more: 2 }],
      '[0].jti: expected text, found a whole number; put it in quotes; [0].more: unknown key; expected one of jti, expiresAt',
    ],
    [
      'what fits no alternative',
      [{ jti: 'a', expiresAt: 'tomorrow' }],
      '[0].expiresAt: expected a date and time, such as 2026-01-31T12:00:00Z',
    ],
  ])('tells %s in one line', (_what, value, text) => {
    const { error } = orders.safeParse(value);
    expect(error && faultsText(error, orders, value)).toBe(text);
  });

  it('tells the first of very many, within bounds, whatever shape they have', () => {
    const made = Object.fromEntries(Array.from({ length: 40_000 }, (_, i) => [`k${i}`, 1]));
    for (const value of [made, [made], Array.from({ length: 20_000 }, () => ({ x: 1 })), { ['k'.repeat(1e6)]: 1 }]) {
      const { error } = orders.safeParse(value);
      const text = error && faultsText(error, orders, value);
      expect(text).toMatch(/(?:unknown|missing) key/);
      expect(text?.length).toBeLessThanOrEqual(4001);
    }
    const { error } = order.safeParse(made);
    const document = { file: '', value: made, faultyPaths: [], locate: () => ({}) };
    expect(error && toFaults(error, { document, schema: order }).length).toBeGreaterThan(0);
  }); // prettier-ignore
});
