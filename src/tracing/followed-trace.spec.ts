import { describe, expect, it } from '@jest/globals';
import type { TraceCarrier } from '../telemetry/trace-context.ts';
import type { CallerContext } from './caller-context.ts';
import { FollowedTrace, type TraceOrigin } from './followed-trace.ts';
import { compileRules } from './tracing-rules.ts';
import { tracingSchema, type TracingOptions } from './tracing.schema.ts';

const TRACE = 'ab'.repeat(16);
const caller = (more: Partial<CallerContext> = {}): CallerContext => ({
  traceId: TRACE,
  spanId: 'cd'.repeat(8),
  sampled: true,
  random: false,
  debug: false,
  state: undefined,
  ...more,
});

function trace(options: object, more: Partial<TraceOrigin> = {}): FollowedTrace {
  const rules = compileRules(tracingSchema.parse(options) as TracingOptions, undefined, () => true);
  const none = { caller: undefined, stranger: undefined, spans: undefined, baggage: undefined };
  return new FollowedTrace({ rules, carrier: {} as TraceCarrier, ...none, ...more });
}

const ofA = { route: { id: 'a', pattern: { parameters: [] } }, params: [] };

describe('a trace that begins', () => {
  it('has ids of its own, is random, and says the share that it was sampled by', () => {
    const one = trace({ ratio: '100%' });
    expect([one.traceId, one.spanId]).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), expect.stringMatching(/^[0-9a-f]{16}$/)]);
    expect([one.flags, one.state, one.parentId]).toEqual(['03', 'ot=th:0', undefined]);
    expect([trace({ ratio: '0%' }).flags, trace({ ratio: '0%' }).state]).toEqual(['02', undefined]);
  }); // prettier-ignore

  it('links to what a stranger has said', () => {
    const { traceId, link } = trace({}, { stranger: caller({ sampled: false }) });
    expect(traceId).not.toBe(TRACE);
    expect(link).toEqual({ traceId: TRACE, spanId: 'cd'.repeat(8), sampled: false });
    expect(trace({}, { stranger: caller({ traceId: undefined }) }).link).toBeUndefined();
  });
});

describe('a trace that goes on', () => {
  it.each<[object, Partial<CallerContext>, string]>([
    [{ ratio: '0%' }, { sampled: true }, '01'],
    [{ ratio: '100%' }, { sampled: false }, '00'],
    [{ ratio: '100%' }, { sampled: false, random: true }, '02'],
    [{ ratio: '0%' }, { sampled: true, random: true }, '03'],
    [{ ratio: '0%', parent: 'ignore' }, { sampled: true }, '00'],
    [{ ratio: '0%', parent: 'ignore' }, { sampled: true, debug: true }, '01'],
    [{ ratio: '100%' }, { sampled: undefined }, '01'],
  ])('under %j of %j has the flags %s', (options, said, flags) => {
    const one = trace(options, { caller: caller(said) });
    expect([one.traceId, one.parentId, one.flags]).toEqual([TRACE, 'cd'.repeat(8), flags]);
  });

  it('keeps what others have said in its state, as long as the caller decides', () => {
    const state = ['vendor=1', 'ot=th:8;rv:12345678901234'];
    expect(trace({}, { caller: caller({ state }) }).state).toBe(state.join());
    expect(trace({ parent: 'ignore', ratio: '100%' }, { caller: caller({ state }) }).state).toBe(
      'ot=th:0;rv:12345678901234,vendor=1',
    );
  });

  it('goes by the randomness that is said, where it is', () => {
    const by = (rv: string) =>
      trace({ parent: 'ignore', ratio: '50%' }, { caller: caller({ state: [`ot=rv:${rv}`] }) });
    expect([by('80000000000000').isSampled, by('7fffffffffffff').isSampled]).toEqual([true, false]);
  });

  it('begins where only a decision was said', () => {
    const one = trace({ ratio: '0%' }, { caller: caller({ traceId: undefined, spanId: undefined }) });
    expect([one.parentId, one.flags]).toEqual([undefined, '03']);
  });
});

describe('the share of a route', () => {
  it('counts when the route is known before somebody asks', () => {
    const options = { ratio: '0%', routes: { a: { ratio: '100%' } } };
    const [known, late] = [trace(options), trace(options)];
    known.exchange = ofA;
    expect([known.isSampled, known.routeRules.threshold]).toEqual([true, '0'.repeat(14)]);
    expect(late.isSampled).toBe(false);
    // What was told a service does not change any more.
    late.exchange = ofA;
    expect(late.isSampled).toBe(false);
  });
});

describe('a part of a trace', () => {
  it('is one and the same span, and decided as the whole', () => {
    const whole = trace({ ratio: '0%' }, { caller: caller({ state: ['a=1'] }) });
    whole.exchange = ofA;
    const { rules, carrier } = whole;
    const part = new FollowedTrace(
      { rules, carrier, spans: undefined, caller: undefined, stranger: undefined, baggage: undefined },
      whole,
    );
    expect([part.isPart, whole.isPart]).toEqual([true, false]);
    for (const key of ['traceId', 'spanId', 'parentId', 'flags', 'state'] as const)
      expect([key, part[key]]).toEqual([key, whole[key]]);
  });
});
