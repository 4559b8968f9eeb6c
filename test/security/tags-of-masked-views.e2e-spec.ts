import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { z } from 'zod';
import { exposedViews } from '../../src/bff/exposed/exposed-views.ts';
import { View } from '../../src/bff/view.ts';
import { CallsModule } from '../../src/calls/calls.module.ts';
import { httpUpstream } from '../../src/calls/http-upstream.ts';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const account = z.object({ name: z.string(), internal: z.string() }).meta({ id: 'TaggedAccount' });
const getAccount = httpUpstream('accounts').get('tagged.account', '/account', {
  decode: account,
  cache: { ttl: '1m', scope: 'public' },
});
const pageAt = (name: string, rest: string, policies: object) =>
  View.define(name)
    .input<object>()
    .required('account', getAccount, () => ({}))
    .expose({ rest, policies: { authentication: 'public', ...policies } });

const MASKED = { transform: { response: { maskFields: ['internal'] } } };

@Module({
  imports: [
    CallsModule,
    exposedViews(pageAt('OpenPage', '/api/open', {}), pageAt('MaskedPage', '/api/masked', MASKED)),
  ],
})
class TaggedModule {}

let gateway: TestGateway;
let accounts: TestUpstream;

beforeAll(async () => {
  accounts = await startUpstream((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'public, max-age=60' });
    response.end(JSON.stringify({ name: 'Ada', internal: 'secret' }));
  });
  gateway = await startGateway({
    config: `version: 1\nupstreams: { accounts: { targets: ['${accounts.url}'] } }\n`,
    modules: [TaggedModule],
  });
});
afterAll(async () => {
  await gateway.stop();
  await accounts.stop();
});

describe('a view whose route masks fields', () => {
  it('has no tag of what it hides, and is sent whole to who guesses one', async () => {
    const open = await call(`${gateway.url}/api/open`);
    const tag = String(open.headers['etag']);
    expect(tag).toMatch(/^(W\/)?"/);
    expect((await call(`${gateway.url}/api/open`, { headers: { 'if-none-match': tag } })).status).toBe(304);
    const masked = await call(`${gateway.url}/api/masked`, { headers: { 'if-none-match': tag } });
    expect([masked.status, masked.headers['etag']]).toEqual([200, undefined]);
    expect(masked.body.toString()).not.toContain('secret');
    expect(masked.body.toString()).toContain('Ada');
  });
});
