import { describe, expect, it } from '@jest/globals';
import type { OtelEnvironment } from '../config/otel-environment.ts';
import { compileRules, type TracingRules } from './tracing-rules.ts';
import { tracingSchema, type TracingOptions } from './tracing.schema.ts';

const isTrusted = (peer: string): boolean => peer === '10.0.0.1';

function rules(options?: object, otel: Partial<OtelEnvironment> = {}): TracingRules {
  const parsed = options === undefined ? undefined : (tracingSchema.parse(options) as TracingOptions);
  const environment = { propagators: ['tracecontext', 'baggage'], ...otel } as unknown as OtelEnvironment;
  return compileRules(parsed, environment, isTrusted);
}

const ALL = '0'.repeat(14);

describe('the share', () => {
  it('is that of the file, else that of the environment, else all', () => {
    expect(rules({ ratio: '0%' }, { ratio: 1 }).threshold).toBeUndefined();
    expect(rules({}, { ratio: 0.5 }).threshold).toBe(`8${'0'.repeat(13)}`);
    expect(rules().threshold).toBe(ALL);
  });

  it('and faults may be others for a route, each by itself', () => {
    const { routes } = rules({
      ratio: '0%',
      errors: false,
      routes: { a: { ratio: '100%' }, b: { errors: true } },
    });
    expect(routes.get('a')).toEqual({ threshold: ALL, errors: false });
    expect(routes.get('b')).toEqual({ threshold: undefined, errors: true });
    expect(routes.get('c')).toBeUndefined();
  });
});

describe('the decision of the caller', () => {
  it.each<[object, Partial<OtelEnvironment>, boolean]>([
    [{}, {}, true],
    [{}, { followsParent: false }, false],
    [{ parent: 'follow' }, { followsParent: false }, true],
    [{ parent: 'ignore' }, {}, false],
  ])('of %j with %j is followed: %s', (options, otel, follows) => {
    expect(rules(options, otel).followsParent).toBe(follows);
  });
});

describe('whose trace is gone on with', () => {
  it.each<[object, string, boolean]>([
    [{}, '10.0.0.1', true],
    [{}, '10.0.0.2', false],
    [{ trust: 'all' }, '192.0.2.1', true],
    [{ trust: 'none' }, '10.0.0.1', false],
    [{ trust: ['192.0.2.0/24'] }, '192.0.2.1', true],
    [{ trust: ['192.0.2.0/24'] }, '10.0.0.1', false],
    [{ trust: ['loopback'] }, '127.0.0.1', true],
  ])('%j trusts %s: %s', (options, peer, trusts) => {
    expect(rules(options).trusts(peer)).toBe(trusts);
  });
});

describe('formats', () => {
  const of = (options: object, propagators: readonly string[]) =>
    rules(options, { propagators } as Partial<OtelEnvironment>);

  it('are those of OTEL_PROPAGATORS, unless the file says others', () => {
    const { accept, send } = of({}, ['b3multi']);
    expect([accept, send]).toEqual([{ w3c: false, b3: true }, { w3c: false, b3: false, b3multi: true }]);
    const said = of({ accept: ['w3c'], send: ['b3'] }, ['b3multi']);
    expect([said.accept, said.send]).toEqual([{ w3c: true, b3: false }, { w3c: false, b3: true, b3multi: false }]);
  });

  it('have no baggage where the environment has none', () => {
    expect(of({ baggage: ['tenant'] }, ['tracecontext']).baggage.size).toBe(0);
    expect(of({ baggage: ['tenant'] }, ['tracecontext', 'baggage']).baggage).toEqual(new Set(['tenant']));
  });
}); // prettier-ignore

it('names of header fields are in lower case, those of parameters as they are', () => {
  const { shown } = rules({ query: ['Page'], requestHeaders: ['X-A'], responseHeaders: ['X-B'] });
  expect(shown).toEqual({ query: new Set(['Page']), requestHeaders: ['x-a'], responseHeaders: ['x-b'] });
});
