import { z } from 'zod';
import { duration } from '../config/units.ts';
import { principals } from './principals.schema.ts';
import { answers } from './answers.schema.ts';
import { expectation } from './expectation.schema.ts';

const text = z.string().min(1);
const fields = z.record(z.string(), z.union([z.string(), z.array(z.string())]));
const METHOD_AND_PATH = /^([A-Z][A-Z-]*) (\/\S*)$/;
const MOST_TIMES = 10_000;

const request = z.union([
  z
    .string()
    .regex(METHOD_AND_PATH, 'expected a method and a path, such as `GET /users/7`')
    .transform((given) => {
      const [, method = '', path = ''] = METHOD_AND_PATH.exec(given) ?? [];
      return { method, path, headers: {}, body: undefined, from: undefined, scheme: 'http' as const };
    }),
  z.strictObject({
    method: z
      .string()
      .regex(/^[A-Z][A-Z-]*$/, 'expected a method, such as GET')
      .default('GET')
      .describe('Default GET.'),
    path: z
      .string()
      .regex(/^\/\S*$/, 'expected a path, such as /users/7?full=1')
      .describe('Path and query.'),
    headers: fields.default({}).describe('Header fields. Default only `Host: localhost`.'),
    body: z.unknown().optional().describe('A text, or what is sent as JSON. Default none.'),
    from: z
      .union([z.ipv4(), z.ipv6()], 'expected an IP address')
      .optional()
      .describe('Who has connected: a client, or a proxy. Default 127.0.0.1.'),
    scheme: z
      .enum(['http', 'https'])
      .default('http')
      .describe('Whether it came over TLS. Default http; over TLS where a certificate is shown.'),
  }),
]);

const callers = z
  .union([text, z.array(text)])
  .transform((given) => [given].flat())
  .optional()
  .describe('Who calls: a name of `principals`, or several where a route asks for several. Default nobody.');

const revoke = z
  .strictObject({ jti: text.optional(), sid: text.optional(), sub: text.optional(), issuer: text.optional() })
  .refine(
    ({ jti, sid, sub }) => [jti, sid, sub].filter((one) => one !== undefined).length === 1,
    'expected exactly one of jti, sid, sub',
  );

const asked = {
  request: request.optional().describe('What is sent: `GET /users/7`, or more about it.'),
  as: callers,
  upstreams: answers.default({}).describe('What upstreams answer, in place of what is said further out.'),
  expect: expectation.optional().describe('What has to come of it.'),
};

const step = z
  .strictObject({
    ...asked,
    times: z.int().min(1).max(MOST_TIMES).default(1).describe('How often; each time is judged. Default 1.'),
    advance: duration.optional().describe('Lets time pass, and what is due in it happen.'),
    revoke: revoke.optional().describe('Takes a token, a session or a subject back.'),
  })
  .superRefine((given, context) => {
    const kinds = (['request', 'advance', 'revoke'] as const).filter((kind) => given[kind] !== undefined);
    const fault = (path: string[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    if (kinds.length !== 1) fault(kinds.slice(1, 2), 'expected exactly one of request, advance, revoke');
    if (given.request === undefined && given.expect !== undefined)
      fault(['expect'], 'only a request has something to expect');
  });

const test = z
  .strictObject({
    name: text.describe('What it is about; unique in the file.'),
    at: z.iso.datetime({ offset: true }).optional().describe('What time it is when it begins. Default that of the file.'),
    ...asked,
    steps: z.array(step).min(1).max(1000).optional().describe('Several requests, and time between them, in place of one.'),
  })
  .superRefine(({ steps, request: one, expect }, context) => {
    const fault = (path: string[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    if ((steps === undefined) === (one === undefined))
      fault(one === undefined ? [] : ['steps'], 'expected one of request and steps');
    if (steps !== undefined && expect !== undefined) fault(['expect'], 'expected it at the steps');
    if (steps === undefined ? expect === undefined : steps.every((each) => each.expect === undefined))
      fault([], 'expects nothing: add `expect`');
  }); // prettier-ignore

/** A file of route tests. */
export const routeTestsSchema = z
  .strictObject({
    version: z.literal(1).describe('Version of this format.'),
    at: z.iso
      .datetime({ offset: true })
      .default('2026-01-01T00:00:00Z')
      .describe('What time it is when a test begins. Default 2026-01-01T00:00:00Z.'),
    principals: principals.default({}).describe('Callers, by name.'),
    upstreams: answers.default({}).describe('What upstreams answer. Default 200, without a body or with an empty message.'),
    tests: z.array(test).min(1),
  })
  .superRefine(({ tests }, context) => {
    const names = new Set<string>();
    for (const [index, { name }] of tests.entries()) {
      if (names.has(name))
        context.addIssue({ code: 'custom', path: ['tests', index, 'name'], message: 'another test has this name' });
      names.add(name);
    }
  }); // prettier-ignore

/** Parsed route tests. */
export type RouteTests = z.output<typeof routeTestsSchema>;
/** One of them. */
export type RouteTest = RouteTests['tests'][number];
/** A request that is sent. */
export type TestRequest = NonNullable<RouteTest['request']>;
/** What is ordered to be revoked. */
export type Revoked = z.output<typeof revoke>;
