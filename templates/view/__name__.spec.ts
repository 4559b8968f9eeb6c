import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type RunningGateway } from 'gatehouse/testing';
import { __camel__ } from './__name__.module.ts';

describe('the view __name__', () => {
  let gateway: RunningGateway;

  before(async () => {
    gateway = await startTestGateway({
      config: {
        version: 1,
        modules: ['__name__'],
        upstreams: { __upstreamKey__: { targets: ['http://__upstream__.internal'] } },
      },
      modules: [__camel__],
    });
    gateway
      .http('__upstream__')
      .on('GET /owners/{id}', ({ params }) => ({ body: { id: params['id'], name: 'Ann' } }))
      .on('GET /owners/7/items', { body: { items: [{ id: 'a' }] } })
      .on('GET /owners/8/items', { status: 500 });
  });
  after(() => gateway?.stop());

  it('answers with all of its sections', async () => {
    const answer = await gateway.client().get('/api/v1/__name__/7');
    assert.equal(answer.status, 200);
    const { owner, items } = answer.json<Record<string, unknown>>();
    assert.deepEqual({ owner, items }, { owner: { id: '7', name: 'Ann' }, items: { items: [{ id: 'a' }] } });
  });

  it('falls back where it may do without', async () => {
    const answer = await gateway.client().get('/api/v1/__name__/8');
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json<Record<string, unknown>>()['items'], { items: [] });
  });
});
