import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { call } from '../support/client.ts';
import { Collector, otelVariables, setVariables } from '../support/collector.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const TRACE = '12345678901234567890123456789012';
const PARENT = '1234567890123456';
const FORM = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-0[0-3]$/;

type Fields = Readonly<Record<string, string | string[]>>;
interface Case {
  /** The section of W3C Trace Context Level 2. */
  readonly section: string;
  readonly what: string;
  readonly fields: Fields;
  /** Whether the trace of the caller is gone on with. */
  readonly goesOn: boolean;
  /** What the service gets as `tracestate`; undefined for none. */
  readonly state?: string | undefined;
}

const whole = (traceparent: string): Fields => ({ traceparent });
const valid = `00-${TRACE}-${PARENT}-01`;

/** Those of `traceparent`, by section: what is gone on with, and what is not. */
const PARENTS: readonly (readonly [section: string, goesOn: boolean, what: string, fields: Fields])[] = [
  ['A traceparent is Not Received', false, 'neither of the two', {}],
  ['A traceparent is Received', true, 'traceparent alone', whole(valid)],
  ['A traceparent is Received', false, 'two of them', { traceparent: [valid, valid] }],
  [
    'A traceparent is Received',
    false,
    'two of them that differ',
    { traceparent: [`00-${TRACE.replace(/2$/, '1')}-${PARENT}-01`, valid] },
  ],
  ['Header Name', false, 'a name with a dash', { 'trace-parent': valid }],
  ['Header Name', false, 'a name with a dot', { 'trace.parent': valid }],
  ['Header Name', true, 'a name in camel case', { TraceParent: valid }],
  ['Header Name', true, 'a name in mixed case', { TrAcEpArEnT: valid }],
  ['Header Name', true, 'a name in capitals', { TRACEPARENT: valid }],
  ['version', false, 'ff', whole(`ff-${TRACE}-${PARENT}-01`)],
  ['version', false, 'a character that is no digit, first', whole(`.0-${TRACE}-${PARENT}-01`)],
  ['version', false, 'a character that is no digit, last', whole(`0.-${TRACE}-${PARENT}-01`)],
  ['version', false, 'three digits', whole(`000-${TRACE}-${PARENT}-01`)],
  ['version', false, 'four digits', whole(`0000-${TRACE}-${PARENT}-01`)],
  ['version', false, 'one digit', whole(`0-${TRACE}-${PARENT}-01`)],
  ['version-format', false, '00 with more at the end', whole(`${valid}.`)],
  ['version-format', false, '00 with a field more', whole(`${valid}-what-comes`)],
  ['Versioning of traceparent', true, 'cc', whole(`cc-${TRACE}-${PARENT}-01`)],
  ['Versioning of traceparent', true, 'cc with a field more', whole(`cc-${TRACE}-${PARENT}-01-what-comes`)],
  ['Versioning of traceparent', false, 'cc with more and no dash', whole(`cc-${TRACE}-${PARENT}-01.what`)],
  ['trace-id', false, 'zeros', whole(`00-${'0'.repeat(32)}-${PARENT}-01`)],
  ['trace-id', false, 'no digit, first', whole(`00-.${TRACE.slice(1)}-${PARENT}-01`)],
  ['trace-id', false, 'no digit, last', whole(`00-${TRACE.slice(1)}.-${PARENT}-01`)],
  ['trace-id', false, 'a digit too many', whole(`00-${TRACE}3-${PARENT}-01`)],
  ['trace-id', false, 'a digit too few', whole(`00-${TRACE.slice(1)}-${PARENT}-01`)],
  ['trace-id', false, 'capitals', whole(`00-${TRACE.slice(1)}A-${PARENT}-01`)],
  ['parent-id', false, 'zeros', whole(`00-${TRACE}-${'0'.repeat(16)}-01`)],
  ['parent-id', false, 'no digit, first', whole(`00-${TRACE}-.${PARENT.slice(1)}-01`)],
  ['parent-id', false, 'no digit, last', whole(`00-${TRACE}-${PARENT.slice(1)}.-01`)],
  ['parent-id', false, 'a digit too many', whole(`00-${TRACE}-${PARENT}7-01`)],
  ['parent-id', false, 'a digit too few', whole(`00-${TRACE}-${PARENT.slice(1)}-01`)],
  ['trace-flags', false, 'no digit, first', whole(`00-${TRACE}-${PARENT}-.0`)],
  ['trace-flags', false, 'no digit, last', whole(`00-${TRACE}-${PARENT}-0.`)],
  ['trace-flags', false, 'a digit too many', whole(`00-${TRACE}-${PARENT}-001`)],
  ['trace-flags', false, 'a digit too few', whole(`00-${TRACE}-${PARENT}-1`)],
  ['trace-flags', true, 'flags that nobody knows', whole(`00-${TRACE}-${PARENT}-ff`)],
  ['traceparent Header', true, 'a blank before it', whole(` ${valid}`)],
  ['traceparent Header', true, 'a tab before it', whole(`\t${valid}`)],
  ['traceparent Header', true, 'a blank after it', whole(`${valid} `)],
  ['traceparent Header', true, 'a tab after it', whole(`${valid}\t`)],
  ['traceparent Header', true, 'blanks around it', whole(`\t ${valid} \t`)],
];

const ALL_KEYS = 'abcdefghijklmnopqrstuvwxyz0123456789_-*/';
const characters = (from: number, to: number): string =>
  String.fromCharCode(...Array.from({ length: to - from + 1 }, (_, index) => from + index));
const ALL_VALUES = characters(0x20, 0x2b) + characters(0x2d, 0x3c) + characters(0x3e, 0x7e);
const members = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, index) => `bar${from + index}=${from + index}`).join(',');
const long = (length: number, key: string): string => `${key}=${'x'.repeat(length - key.length - 1)}`;

/** Those of `tracestate` beside a `traceparent` that is valid: what the service gets. */
const STATES: readonly (readonly [
  section: string,
  what: string,
  sent: string | string[],
  state: string | undefined,
])[] = [
  ['tracestate Header', 'a pair', 'foo=1,bar=2', 'foo=1,bar=2'],
  ['tracestate Header Field Values', 'an empty field', '', undefined],
  ['tracestate Header Field Values', 'an empty field after another', ['foo=1', ''], 'foo=1'],
  ['tracestate Header Field Values', 'an empty field before another', ['', 'foo=1'], 'foo=1'],
  ['tracestate Header Field Values', 'empty members', 'foo=1,,bar=2,', 'foo=1,bar=2'],
  ['Combined Header Value', 'several fields', ['foo=1,bar=2', 'rojo=1,congo=2', 'baz=3'], 'foo=1,bar=2,rojo=1,congo=2,baz=3'],
  ['list-members', 'blanks around them', 'foo=1 \t , \t bar=2, \t baz=3', 'foo=1,bar=2,baz=3'],
  ['list-members', 'tabs around them', 'foo=1\t \t,\t \tbar=2,\t \tbaz=3', 'foo=1,bar=2,baz=3'],
  ['list-members', 'a blank before', ' foo=1', 'foo=1'],
  ['list-members', 'a tab before', '\tfoo=1', 'foo=1'],
  ['list-members', 'a blank after', 'foo=1 ', 'foo=1'],
  ['list-members', 'a tab after', 'foo=1\t', 'foo=1'],
  ['list-members', 'both', '\t foo=1 \t', 'foo=1'],
  ['list-members', 'a key twice, with one value', 'foo=1,foo=1', undefined],
  ['list-members', 'a key twice, with two values', 'foo=1,foo=2', undefined],
  ['list-members', 'a key twice, in two fields', ['foo=1', 'foo=1'], undefined],
  ['list-members', 'a key twice, in two fields with two values', ['foo=1', 'foo=2'], undefined],
  ['list', '32 members', [members(10, 19), members(20, 29), members(30, 41)], members(10, 41)],
  ['list', '33 members', [members(10, 19), members(20, 29), members(30, 42)], undefined],
  ['Key', 'all that may be in it', `${ALL_KEYS}=${ALL_VALUES}`, `${ALL_KEYS}=${ALL_VALUES}`],
  ['Key', 'all that may be in one of a tenant', `${ALL_KEYS}@a-z0-9_-*/=${ALL_VALUES}`, `${ALL_KEYS}@a-z0-9_-*/=${ALL_VALUES}`],
  ['Key', 'a blank at its end', 'foo =1', undefined],
  ['Key', 'capitals', 'FOO=1', undefined],
  ['Key', 'a dot', 'foo.bar=1', undefined],
  ['Key', 'a sign of tenants first', '@foo=1,bar=2', undefined],
  ['Key', '256 characters', ['foo=1', `${'z'.repeat(256)}=1`], `foo=1,${'z'.repeat(256)}=1`],
  ['Key', '257 characters', ['foo=1', `${'z'.repeat(257)}=1`], undefined],
  ['Value', 'a sign in it', 'foo=bar=baz', undefined],
  ['Value', 'none', 'foo=,bar=3', undefined],
  ['Value', '256 characters', long(260, 'foo'), long(260, 'foo')],
  ['Value', '257 characters', `bar=1,${long(261, 'foo')}`, undefined],
  ['Tracestate Limits', '512 characters', `${long(256, 'a')},${long(255, 'b')}`, `${long(256, 'a')},${long(255, 'b')}`],
  ['Tracestate Limits', 'more, with long members', `a=1,${long(256, 'b')},${long(256, 'c')},d=2`, `a=1,${long(256, 'b')},d=2`],
  ['Tracestate Limits', 'more, with short members', Array.from({ length: 6 }, (_, at) => long(100, `k${at}`)), Array.from({ length: 5 }, (_, at) => long(100, `k${at}`)).join(',')],
]; // prettier-ignore

const CASES: readonly Case[] = [
  ...PARENTS.map(([section, goesOn, what, fields]) => ({ section, what, fields, goesOn })),
  ...PARENTS.filter(([, goesOn]) => !goesOn).map(([section, goesOn, what, fields]) => ({
    section,
    what: `${what}, and a tracestate`,
    fields: { ...fields, tracestate: 'foo=1,bar=2' },
    goesOn,
  })),
  ...STATES.map(([section, what, tracestate, state]) => ({
    section,
    what: `tracestate: ${what}`,
    fields: { traceparent: `00-${TRACE}-${PARENT}-00`, tracestate },
    goesOn: true,
    state,
  })),
  ...['TraceState', 'TrAcEsTaTe', 'TRACESTATE'].map((name) => ({
    section: 'Header Name',
    what: name,
    fields: { traceparent: valid, [name]: 'foo=1' },
    goesOn: true,
    state: 'foo=1',
  })),
  ...['trace-state', 'trace.state'].map((name) => ({
    section: 'Header Name',
    what: name,
    fields: { traceparent: valid, [name]: 'foo=1' },
    goesOn: true,
  })),
];

let collector: Collector;
let upstream: TestUpstream;
let gateway: TestGateway;
let plain: TestGateway;
let restore: () => void;

beforeAll(async () => {
  [collector, upstream] = await Promise.all([new Collector().start(), startUpstream()]);
  const variables = otelVariables(collector.url);
  restore = setVariables(variables);
  const config = {
    version: 1,
    defaults: { policies: { authentication: 'public' } },
    upstreams: { it: { targets: [upstream.url], circuitBreaker: 'off' } },
    routes: [
      { id: 'it', match: { path: '/it' }, upstream: 'it' },
      {
        id: 'three',
        match: { path: '/three' },
        aggregate: {
          calls: Object.fromEntries(
            ['a', 'b', 'c'].map((name) => [name, { upstream: 'it', path: `/${name}` }]),
          ),
        },
      },
    ],
  };
  const said = { ...config, tracing: { trust: 'all', parent: 'follow' } };
  gateway = await startGateway({ config: JSON.stringify(said), environment: variables });
  plain = await startGateway({ config: JSON.stringify(config) });
});
afterAll(async () => {
  await Promise.all([gateway.stop(), plain.stop()]);
  await Promise.all([collector.stop(), upstream.stop()]);
  restore();
});

/** What the service gets of a request with fields. */
async function heard(url: string, fields: Fields): Promise<Readonly<Record<string, unknown>>> {
  const answer = await call(`${url}/it`, { headers: fields as Record<string, string | string[]> });
  expect(answer.status).toBe(200);
  return upstream.requests.at(-1)?.headers ?? {};
}

function expectTrace(traceparent: unknown, goesOn: boolean): void {
  const [, traceId, spanId] = FORM.exec(String(traceparent)) ?? [];
  expect(traceparent).toMatch(FORM);
  expect(traceId === TRACE).toBe(goesOn);
  expect(spanId).not.toBe(PARENT);
}

describe('W3C Trace Context Level 2, where the configuration says how traces go on', () => {
  it.each(CASES.map((one) => [`${one.section}: ${one.what}`, one] as const))(
    '%s',
    async (_, { fields, goesOn, state }) => {
      const { traceparent, tracestate } = await heard(gateway.url, fields);
      expectTrace(traceparent, goesOn);
      // A trace that begins here says its own threshold, and nothing of what came.
      expect(tracestate).toBe(goesOn ? state : 'ot=th:0');
    },
  );

  it.each([
    ['00', '00'],
    ['01', '01'],
    ['02', '02'],
    ['03', '03'],
    ['fc', '00'],
    ['ff', '03'],
  ])('trace-flags: %s goes on as %s', async (said, sent) => {
    const { traceparent } = await heard(gateway.url, whole(`00-${TRACE}-${PARENT}-${said}`));
    expect(String(traceparent).slice(-2)).toBe(sent);
  });

  it.each([
    ['with a traceparent that is valid', whole(valid), 1],
    ['without one', {}, 1],
    ['with one that is not', whole(`00-${'0'.repeat(32)}-${PARENT}-01`), 1],
  ])('parent-id: three requests %s are three spans of one trace', async (_, fields, traces) => {
    const before = upstream.requests.length;
    await call(`${gateway.url}/three`, { headers: fields as Record<string, string> });
    const said = upstream.requests
      .slice(before)
      .map(({ headers }) => FORM.exec(String(headers['traceparent'])));
    expect(new Set(said.map((one) => one?.[1])).size).toBe(traces);
    expect(new Set(said.map((one) => one?.[2])).size).toBe(3);
  });
});

describe('W3C Trace Context Level 2, where traces pass as they come', () => {
  it.each(PARENTS.map(([section, goesOn, what, fields]) => [`${section}: ${what}`, fields, goesOn] as const))(
    '%s',
    async (_, fields, goesOn) => {
      const { traceparent, tracestate } = await heard(plain.url, { ...fields, tracestate: 'foo=1, bar=2' });
      expectTrace(traceparent, goesOn);
      expect(tracestate).toBe(goesOn ? 'foo=1, bar=2' : undefined);
    },
  );
});
