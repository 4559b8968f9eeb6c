import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGateway, type TestGateway } from '../../test/support/gateway.ts';
import { Snapshots } from '../snapshot/snapshots.ts';
import { isSample, recordedSource } from './recorded-source.ts';
import { writeSample } from './recorded.fixture.ts';

const CONFIG = `version: 1
defaults: { policies: { authentication: public } }
upstreams:
  users: { targets: ['http://127.0.0.1:1'] }
  other: { targets: ['http://127.0.0.1:1'] }
routes:
  - { id: users, match: { path: /api/users/* }, upstream: users, rewrite: { stripPrefix: /api } }
  - { id: other, match: { path: /other }, upstream: other }
`;
const ANN = { url: 'http://a.test/api/users/7?full=1', upstream: 'users', answer: '{"name":"Ann"}' };

let folder: string;
let file: string;
let gateway: TestGateway;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-recorded-'));
  file = join(folder, 'sample.ndjson');
  gateway = await startGateway({ config: CONFIG });
});
afterAll(async () => {
  await gateway.stop();
  rmSync(folder, { recursive: true });
});

/** What a fake made of the sample answers. */
async function answerTo(path: string, method = 'GET'): Promise<object> {
  const source = await recordedSource(file, 'users');
  source.use?.(gateway.gateway.app.get(Snapshots).current);
  return source.answer({ upstream: 'users', target: '', method, path, headers: {}, body: '' });
}

describe(recordedSource, () => {
  it('answers what was recorded, by what the gateway sends on', async () => {
    const older = { ...ANN, url: 'http://a.test/api/users/7', answer: '{"name":"A."}' };
    writeSample(file, [
      ANN,
      older,
      { ...ANN, url: 'http://a.test/api/users/8', status: 204, answer: undefined },
    ]);
    const json = { 'content-type': 'application/json' };
    expect(await answerTo('/users/7?full=1')).toEqual({
      status: 200,
      headers: json,
      body: ANN.answer,
      delay: 0,
    });
    // With another query, and without one, what was recorded for the path first.
    expect(await answerTo('/users/7?full=2')).toMatchObject({ body: older.answer });
    expect(await answerTo('/users/8')).toMatchObject({ status: 204, headers: {}, body: undefined });
  });

  it('says of anything else how much there is', async () => {
    writeSample(file, [ANN]);
    for (const [path, method] of [['/users/9'], ['/users/7', 'DELETE'], ['/api/users/7']] as const)
      expect(await answerTo(path, method)).toMatchObject({
        status: 404,
        body: expect.stringContaining('it has 2 others'),
      });
  });

  it.each([
    ['what the gateway said itself', { problem: 'rate-limited', status: 429 }],
    ['what is not whole', { answer: undefined, answerLeft: 'too large' as const }],
    ['what another upstream said', { upstream: 'other' }],
  ])('is not made of %s', async (_what, more) => {
    writeSample(file, [{ ...ANN, ...more }]);
    await expect(recordedSource(file, 'users')).rejects.toThrow(
      `${file} has no answers of users; record with --answers 16KiB what a gateway forwards there`,
    );
  });

  it('leaves out what the configuration in force sends elsewhere', async () => {
    writeSample(file, [ANN, { ...ANN, url: 'http://a.test/gone' }, { ...ANN, url: 'http://a.test/other' }]);
    expect(await answerTo('/gone')).toMatchObject({ body: expect.stringContaining('it has 2 others') });
  });
});

describe(isSample, () => {
  it('knows a sample by its first line', async () => {
    writeSample(file, [ANN]);
    expect(await isSample(file)).toBe(true);
    writeFileSync(file, 'openapi: 3.1.0\n');
    expect(await isSample(file)).toBe(false);
    writeFileSync(file, '');
    expect(await isSample(file)).toBe(false);
  });
});
