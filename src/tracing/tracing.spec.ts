import { beforeEach, describe, expect, it } from '@jest/globals';
import { createExchange } from '../../test/support/exchange.ts';
import { Exchange } from '../exchange/exchange.ts';
import type { SpanNote } from '../telemetry/span-log.ts';
import { addTraceFields, forkTrace } from '../telemetry/trace-context.ts';
import { FollowedTrace } from './followed-trace.ts';
import { Tracing, type SpanSink } from './tracing.ts';
import { compileRules } from './tracing-rules.ts';
import { tracingSchema, type TracingOptions } from './tracing.schema.ts';

const TRACE = 'ab'.repeat(16);
const SPAN = 'cd'.repeat(8);
const OTHER_SPAN = 'ef'.repeat(8);
const SAMPLED = ['traceparent', `00-${TRACE}-${SPAN}-01`];
let kept: string[];
let noted: string[];

beforeEach(() => {
  kept = [];
  noted = [];
});

const sink: SpanSink = {
  ended: (_, { traceId }) => void kept.push(traceId),
  noted: (_, notes: readonly SpanNote[]) => void noted.push(...notes.map(({ name }) => name)),
};

function tracing(options: object = {}, to: SpanSink | undefined = sink): Tracing {
  const said = tracingSchema.parse({ trust: 'all', ...options }) as TracingOptions;
  return new Tracing(
    compileRules(said, undefined, () => true),
    to,
  );
}

/** An exchange whose trace is followed. */
function followed(of: Tracing, headers: readonly string[] = []): Exchange {
  const plain = createExchange({ headers });
  const { id, clientAddress, scheme, host, path, query, request, response } = plain;
  const exchange = new Exchange({ id, clientAddress, scheme, host, path, query, request, response, trace: of.begin(request) });
  of.follow(exchange);
  return exchange;
} // prettier-ignore

function fieldsOf({ trace }: Exchange): Readonly<Record<string, string>> {
  const fields: string[] = [];
  addTraceFields(fields, trace);
  return Object.fromEntries(fields.flatMap((name, at) => (at % 2 === 0 ? [[name, String(fields[at + 1])]] : [])));
} // prettier-ignore

describe('what goes on', () => {
  it('is said in each format that is sent, with the span of the exchange', () => {
    const exchange = followed(tracing({ send: ['w3c', 'b3', 'b3multi'], baggage: ['k'] }), [...SAMPLED, 'tracestate', 'a=1', 'baggage', 'k=1,l=2']);
    const { spanId } = exchange.trace;
    expect(fieldsOf(exchange)).toEqual({
      traceparent: `00-${TRACE}-${spanId}-01`,
      tracestate: 'a=1',
      b3: `${TRACE}-${spanId}-1`,
      'x-b3-traceid': TRACE,
      'x-b3-spanid': spanId,
      'x-b3-sampled': '1',
      baggage: 'k=1',
    });
  }); // prettier-ignore

  it('has another span as the parent, in a list of its own, where the trace is sampled', () => {
    const of = tracing({ send: ['w3c', 'b3', 'b3multi'] });
    const exchange = followed(of, SAMPLED);
    const fields: string[] = [];
    of.addTo(fields, exchange.trace);
    const before = [...fields];
    const told = of.withParent(fields, exchange.trace, OTHER_SPAN).join(' ');
    expect(told).toContain(`traceparent 00-${TRACE}-${OTHER_SPAN}-01`);
    expect(told).toContain(`b3 ${TRACE}-${OTHER_SPAN}-1`);
    expect(told).toContain(`x-b3-spanid ${OTHER_SPAN}`);
    expect(fields).toEqual(before);
    const unsampled = followed(tracing({ ratio: '0%' }));
    const same = ['traceparent', 'x'];
    expect(of.withParent(same, unsampled.trace, OTHER_SPAN)).toBe(same);
  });

  it('begins anew for whoever is not trusted, without baggage', () => {
    const exchange = followed(tracing({ trust: 'none', baggage: ['k'] }), [...SAMPLED, 'baggage', 'k=1']);
    expect(exchange.trace.traceId).not.toBe(TRACE);
    expect((exchange.trace as FollowedTrace).link).toMatchObject({ traceId: TRACE, spanId: SPAN });
    expect(fieldsOf(exchange)).not.toHaveProperty('baggage');
  });
});

describe('what is kept', () => {
  const end = (options: object, change: Partial<Exchange>, headers: readonly string[] = []): boolean => {
    const exchange = followed(tracing(options), headers);
    Object.assign(exchange, { status: 200 }, change);
    exchange.close();
    return kept.length > 0;
  };

  it.each<[string, object, Partial<Exchange>, boolean]>([
    ['what is sampled', { ratio: '100%' }, {}, true],
    ['nothing of what is not', { ratio: '0%' }, {}, false],
    ['a fault', { ratio: '0%' }, { status: 500 }, true],
    ['no fault where the file says so', { ratio: '0%', errors: false }, { status: 500 }, false],
    ['what is slow', { ratio: '0%', slow: '0ms' }, {}, true],
    ['no socket for being long', { ratio: '0%', slow: '0ms' }, { socket: { by: 'client', code: 1000, in: { messages: 0, bytes: 0 }, out: { messages: 0, bytes: 0 } } }, false],
  ])('is %s', (_, options, change, isKept) => {
    expect(end(options, change)).toBe(isKept);
  }); // prettier-ignore

  it('is what a caller has decided', () => {
    expect(end({ ratio: '0%' }, {}, SAMPLED)).toBe(true);
    kept = [];
    expect(end({ ratio: '100%' }, {}, ['traceparent', `00-${TRACE}-${SPAN}-00`])).toBe(false);
  });

  it('is an operation that failed', () => {
    const exchange = followed(tracing({ ratio: '0%' }));
    exchange.trace.spans?.begin('operation', 'query')?.end('failed', true);
    exchange.close();
    expect(kept).toHaveLength(1);
  });

  it('is noted nowhere where nobody makes spans', () => {
    const exchange = followed(
      new Tracing(
        compileRules(undefined, undefined, () => true),
        undefined,
      ),
    );
    expect(exchange.trace.spans).toBeUndefined();
    expect(() => exchange.close()).not.toThrow();
  });
});

describe('what goes on within an exchange that lasts', () => {
  it('is sent as it ends, and what has not ended stays', () => {
    const of = tracing({ ratio: '100%' });
    const exchange = followed(of);
    exchange.trace.spans?.begin('event', 'done')?.end('ok', false);
    exchange.trace.spans?.begin('rpc', 'open');
    of.flush(exchange);
    of.flush(exchange);
    expect(noted).toEqual(['done']);
    expect(exchange.trace.spans?.notes.map(({ name }) => name)).toEqual(['open']);
  });

  it('is sent where it is not sampled only for an event that failed', () => {
    const of = tracing({ ratio: '0%' });
    const exchange = followed(of);
    exchange.trace.spans?.begin('event', 'well')?.end('ok', false);
    of.flush(exchange);
    expect(noted).toEqual([]);
    exchange.trace.spans?.begin('event', 'ill')?.end('failed', true);
    of.flush(exchange);
    expect(noted).toEqual(['ill']);
  });

  it('has parts that are the same span, and have notes of their own', () => {
    const whole = followed(tracing()).trace as FollowedTrace;
    const part = forkTrace(whole) as FollowedTrace;
    expect([part.spanId, part.traceId, part.isPart]).toEqual([whole.spanId, whole.traceId, true]);
    expect(part.spans).not.toBe(whole.spans);
  });
});
