import { describe, expect, it } from '@jest/globals';
import { useShop } from '../support/shop.ts';
import type { Echo } from '../support/upstream.ts';

const holder = useShop({
  routes: [
    { id: 'echo', match: { path: '/api/*' }, upstream: 'echo', policies: { authentication: 'public' } },
  ],
});

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

async function send(headers: Record<string, string>) {
  const answer = await holder.shop.call('/api/x', { headers });
  return { answer, seen: answer.json<Echo>().headers, line: await holder.shop.lineOf(answer) };
}

describe('X-Request-Id', () => {
  it('is taken from the client when it is sane', async () => {
    const { answer, seen, line } = await send({ 'x-request-id': 'order-4711.retry_2' });
    expect(answer.headers['x-request-id']).toBe('order-4711.retry_2');
    expect(seen['x-request-id']).toBe('order-4711.retry_2');
    expect(line['id']).toBe('order-4711.retry_2');
  });

  it.each(['short', 'a'.repeat(129), 'with space in it', 'inject"quote123', 'äöüäöüäöü', ''])(
    'is made when the one of the client is not sane: %p',
    async (id) => {
      const { answer, seen } = await send({ 'x-request-id': Buffer.from(id).toString('latin1') });
      expect(seen['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
      expect(answer.headers['x-request-id']).toBe(seen['x-request-id']);
    },
  );

  it('is made when there is none, each time another', async () => {
    const [one, other] = await Promise.all([send({}), send({})]);
    expect(one.seen['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(one.seen['x-request-id']).not.toBe(other.seen['x-request-id']);
  });
});

describe('traceparent', () => {
  it('is continued: same trace and flags, our span as the parent', async () => {
    const { seen, line } = await send({
      traceparent: `00-${TRACE}-${PARENT}-00`,
      tracestate: 'vendor=value',
    });
    expect(seen['traceparent']).toMatch(new RegExp(`^00-${TRACE}-(?!${PARENT})[0-9a-f]{16}-00$`));
    expect(seen['tracestate']).toBe('vendor=value');
    expect(line).toMatchObject({ traceId: TRACE, parentId: PARENT });
    expect(seen['traceparent']).toContain(String(line['spanId']));
  });

  it.each(['nonsense', `00-${'0'.repeat(32)}-${PARENT}-01`, `ff-${TRACE}-${PARENT}-01`])(
    'is started anew when the one of the client is invalid: %s',
    async (traceparent) => {
      const { seen, line } = await send({ traceparent, tracestate: 'vendor=value' });
      expect(seen['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      expect(seen['traceparent']).toContain(String(line['traceId']));
      expect(seen).not.toHaveProperty('tracestate');
      expect(line).not.toHaveProperty('parentId');
    },
  );

  it('is started when there is none', async () => {
    const { seen } = await send({});
    expect(seen['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });
});
