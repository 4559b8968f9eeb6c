import { beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { useShop } from '../support/shop.ts';
import type { Answer } from '../support/client.ts';
import type { TokenUser } from '../../examples/services/identity.ts';

const holder = useShop({ more: { graphql: { plan: { anyRole: ['admin'] } } } });
beforeAll(() => holder.shop.warm());
const query = 'query Screen { homepage { user { name } notifications { unread } } }';
const hash = createHash('sha256').update(query).digest('hex');

interface GraphqlBody {
  readonly data?: unknown;
  readonly extensions?: { readonly plan?: { readonly calls: readonly Record<string, unknown>[] } };
}

async function ask(as: TokenUser, body: object = { query }): Promise<Answer> {
  const headers = { 'content-type': 'application/json', 'x-gatehouse-plan': '1' };
  return holder.shop.call('/graphql', { method: 'POST', as, headers, body: JSON.stringify(body) });
}

describe('the plan of an operation through the whole gateway', () => {
  it('tells an admin the calls to HTTP and gRPC services, as the access line counts them', async () => {
    const answer = await ask('admin');
    const { plan } = answer.json<GraphqlBody>().extensions ?? {};
    expect(plan).toMatchObject({ document: { hash }, cost: { fields: [{ path: ['homepage'] }, {}, {}] } });
    const calls = plan?.calls.toSorted((a, b) => (String(a['section']) < String(b['section']) ? -1 : 1));
    expect(calls).toMatchObject([
      {
        upstream: 'notifications',
        section: 'Homepage.notifications',
        path: ['homepage', 'notifications'],
        attempts: ['OK'],
        outcome: 'ok',
      },
      {
        upstream: 'users',
        section: 'Homepage.user',
        path: ['homepage', 'user'],
        attempts: ['200'],
        outcome: 'ok',
      },
    ]);
    const line = await holder.shop.lineOf(answer);
    expect(String(line['upstream']).split(',').sort()).toEqual(['notifications', 'users']);
  });

  it('tells others nothing', async () => {
    const { extensions, data } = (
      await ask('user', { query, extensions: { plan: true } })
    ).json<GraphqlBody>();
    expect([extensions, data]).toEqual([undefined, expect.objectContaining({ homepage: expect.anything() })]);
  });
});

describe('a GET by hash through the whole gateway', () => {
  it('is not kept when a call says nothing about it', async () => {
    const extensions = JSON.stringify({ persistedQuery: { version: 1, sha256Hash: hash } });
    await ask('user', { query, extensions: JSON.parse(extensions) as object });
    const path = `/graphql?extensions=${encodeURIComponent(extensions)}`;
    const answer = await holder.shop.call(path, { as: 'user' });
    expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'no-store']);
  });

  it('asks for the text of a subscription that nobody has sent, over events too', async () => {
    const counted = 'subscription Added { notificationAdded { id } }';
    const sha256Hash = createHash('sha256').update(counted).digest('hex');
    const extensions = encodeURIComponent(JSON.stringify({ persistedQuery: { version: 1, sha256Hash } }));
    const authorization = `Bearer ${await holder.shop.services.identity.token('user')}`;
    const headers = { accept: 'text/event-stream', authorization };
    const missing = await fetch(`${holder.shop.gateway.url}/graphql?extensions=${extensions}`, { headers });
    expect(await missing.text()).toContain('PERSISTED_QUERY_NOT_FOUND');
  });
});
