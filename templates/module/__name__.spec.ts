import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type RunningGateway } from 'gatehouse/testing';
import { __camel__ } from './__name__.module.ts';

describe('__name__', () => {
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
    gateway.http('__upstream__').on('GET /__name__/7', { body: { id: '7', name: 'Seven' } });
    gateway.http('__upstream__').on('GET /__name__/8', { status: 404 });
  });
  after(() => gateway?.stop());

  it('answers with what the upstream knows', async () => {
    const answer = await gateway.client().get('/api/v1/__name__/7');
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json(), { id: '7', title: 'Seven' });
  });

  it('answers a problem for what the upstream does not know', async () => {
    const answer = await gateway.client().get('/api/v1/__name__/8');
    assert.ok(answer.status >= 400);
    assert.ok(answer.problem);
  });
});
