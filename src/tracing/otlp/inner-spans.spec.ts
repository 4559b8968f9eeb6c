import { describe, expect, it } from '@jest/globals';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { SpanNote, type AttemptFacts } from '../../telemetry/span-log.ts';
import { innerSpans } from './inner-spans.ts';

const FRAME = {
  home: { resource: resourceFromAttributes({}), scope: { name: 'test' }, valueLength: 64 },
  traceId: 'a'.repeat(32),
  state: undefined,
  offsetMs: 1000,
};
const ROOT = 'b'.repeat(16);
const facts = (more: Partial<AttemptFacts> = {}): AttemptFacts => ({
  upstream: 'it',
  target: '127.0.0.1:80',
  protocol: 'http',
  scheme: 'http',
  resends: 0,
  isHedge: false,
  method: 'GET',
  path: '/a?page=1&key=x',
  status: '200',
  ...more,
});
const spansOf = (...notes: readonly SpanNote[]) =>
  innerSpans(notes, { frame: FRAME, rootId: ROOT, query: new Set(['page', 'key']), secrets: ['f00d'] });

function ended(note: SpanNote, outcome: string, isFault = false): SpanNote {
  note.end(outcome, isFault);
  return note;
}

describe('the span of an attempt over HTTP', () => {
  it('shows no parameter of the path that may be a secret', () => {
    const [span] = spansOf(
      ended(new SpanNote('attempt', 'it', undefined, facts({ path: '/in/f00d' })), '200'),
    );
    expect(span?.attributes).toMatchObject({ 'url.full': 'http://127.0.0.1:80/in/*' });
  });

  it('is that of a client, by the conventions', () => {
    const [span] = spansOf(ended(new SpanNote('attempt', 'it', undefined, facts()), '200'));
    expect(span).toMatchObject({ name: 'GET', kind: SpanKind.CLIENT, parentSpanContext: { spanId: ROOT } });
    expect(span?.attributes).toEqual({
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'server.address': '127.0.0.1',
      'server.port': 80,
      'url.full': 'http://127.0.0.1:80/a?page=1&key=REDACTED',
      'gatehouse.upstream': 'it',
      'gatehouse.target': '127.0.0.1:80',
    });
  });

  it.each<[string, Partial<AttemptFacts>, object]>([
    ['404', { status: '404' }, { 'error.type': '404', 'http.response.status_code': 404 }],
    ['unreachable', { status: '' }, { 'error.type': 'unreachable' }],
    ['reset', { status: '200' }, { 'error.type': 'reset', 'http.response.status_code': 200 }],
    ['503', { status: '503', resends: 1 }, { 'gatehouse.attempt.reason': 'retry', 'http.request.resend_count': 1 }],
  ])('that ended with %s is a fault', (outcome, more, attributes) => {
    const [span] = spansOf(ended(new SpanNote('attempt', 'it', undefined, facts(more)), outcome));
    expect([span?.status.code, span?.attributes]).toEqual([SpanStatusCode.ERROR, expect.objectContaining(attributes)]);
  }); // prettier-ignore

  it.each(['lost', 'client-closed', 'shutting-down', ''])('that ended with "%s" is none', (outcome) => {
    const hedge = facts({ status: '', resends: 1, isHedge: true });
    const [span] = spansOf(ended(new SpanNote('attempt', 'it', undefined, hedge), outcome));
    expect(span?.status.code).toBe(SpanStatusCode.UNSET);
    expect(span?.attributes).toMatchObject({ 'gatehouse.attempt.reason': 'hedge' });
    expect(span?.attributes).not.toHaveProperty(['http.response.status_code']);
  });

  it('of an address of IPv6 has it without brackets', () => {
    const [span] = spansOf(new SpanNote('attempt', 'it', undefined, facts({ target: '[::1]:8080' })));
    expect(span?.attributes).toMatchObject({ 'server.address': '::1', 'server.port': 8080 });
  });
});

describe('the span of a call of gRPC', () => {
  it('is one of a client, and its attempts are parts of it', () => {
    const asked = facts({ protocol: 'grpc', path: '/a.v1.B/C', method: 'POST', status: '' });
    const call = ended(new SpanNote('rpc', 'it', undefined, asked), 'NOT_FOUND');
    const attempt = ended(new SpanNote('attempt', 'it', call, asked), 'NOT_FOUND');
    const [above, below] = spansOf(call, attempt);
    expect(above).toMatchObject({ name: 'a.v1.B/C', kind: SpanKind.CLIENT, status: { code: SpanStatusCode.ERROR } });
    expect(above?.attributes).toMatchObject({ 'rpc.system.name': 'grpc', 'rpc.method': 'a.v1.B/C', 'rpc.response.status_code': 'NOT_FOUND', 'server.address': 'it' });
    expect(below).toMatchObject({ name: 'attempt it', kind: SpanKind.INTERNAL });
    expect(below?.parentSpanContext?.spanId).toBe(above?.spanContext().spanId);
  }); // prettier-ignore

  it('has the name of its upstream where nothing was asked yet', () => {
    expect(spansOf(new SpanNote('rpc', 'it', undefined, facts({ path: '', protocol: 'grpc' })))[0]?.name).toBe('call it');
  }); // prettier-ignore
});

describe('other spans', () => {
  it.each([
    ['call', 'orders.get', 'call orders.get', { 'gatehouse.call': 'orders.get', 'gatehouse.outcome': 'ok' }],
    ['section', 'home.feed', 'section home.feed', { 'gatehouse.section': 'home.feed' }],
    ['resolver', 'Query.feed', 'resolver Query.feed', { 'gatehouse.graphql.field': 'Query.feed' }],
    ['stage', 'rateLimit', 'stage rateLimit', { 'gatehouse.policy': 'rateLimit' }],
    ['store', 'limits', 'redis limits', { 'db.system.name': 'redis', 'gatehouse.store.use': 'limits' }],
    ['event', 'subscription', 'event subscription', { 'gatehouse.outcome': 'ok' }],
  ] as const)('of a %s', (sort, name, shown, attributes) => {
    const [span] = spansOf(ended(new SpanNote(sort, name), 'ok'));
    expect(span).toMatchObject({ name: shown, status: { code: SpanStatusCode.UNSET } });
    expect(span?.attributes).toMatchObject(attributes);
    const [failed] = spansOf(ended(new SpanNote(sort, name), 'internal', true));
    expect(failed).toMatchObject({ status: { code: SpanStatusCode.ERROR }, attributes: { 'error.type': 'internal' } });
  });

  it('of an operation have the name that its client gave it, up to a length', () => {
    const note = new SpanNote('operation', 'query', undefined, { type: 'query', name: 'N'.repeat(500) });
    const [span] = spansOf(ended(note, 'ok'));
    expect(span?.name).toBe('query');
    expect(String(span?.attributes['graphql.operation.name']).length).toBeLessThanOrEqual(128);
  });

  it('last until now where they have not ended, and never less than nothing', () => {
    const [span] = spansOf(new SpanNote('call', 'late'));
    expect(span?.duration[0]).toBeGreaterThanOrEqual(0);
    expect(span?.duration[1]).toBeGreaterThanOrEqual(0);
  });
}); // prettier-ignore
