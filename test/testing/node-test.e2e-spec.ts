import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BIN, COMPILED, ensureBuilt } from '../support/child.ts';

const CONFIG = `{
  version: 1,
  defaults: { policies: { authentication: 'public', deadline: '5s' } },
  upstreams: { users: { targets: ['http://users.internal'] } },
  routes: [{ id: 'users', match: { path: '/*' }, upstream: 'users' }],
}`;

/** A test of a team that has no Jest: it fails where the process does not end by itself, too. */
const testFile = (entry: string): string => `
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestGateway } from '${entry}';

let gateway;
before(async () => (gateway = await startTestGateway({ config: ${CONFIG} })));
after(() => gateway.stop());

test('a service that answers', async () => {
  gateway.http('users').on('GET /users/{id}', ({ params }) => ({ body: params }));
  assert.deepEqual((await gateway.client().get('/users/7')).json(), { id: '7' });
});
test('a service that hangs', { timeout: 60_000 }, async () => {
  gateway.http('users').on('GET /slow', { fault: 'hang' });
  await using other = await startTestGateway({ config: ${CONFIG}, clock: true });
  other.http('users').on('GET /slow', { fault: 'hang' });
  assert.equal((await other.client().get('/slow')).problem.code, 'deadline-exceeded');
});
test('an expectation that fails', () => {
  gateway.expectNoUpstreamCalls();
});
`;

describe('the kit under node:test', () => {
  let folder: string;
  beforeAll(async () => {
    await ensureBuilt();
    // Beside the packages, as a repository of a team has them.
    folder = mkdtempSync(join(dirname(dirname(BIN)), '..', 'gatehouse-kit-'));
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  it('passes, fails and ends as any other test there', () => {
    const file = join(folder, 'users.test.mjs');
    writeFileSync(file, testFile(join(dirname(dirname(BIN)), 'dist/testing/index.js')));
    const env = { PATH: process.env['PATH'], NODE_COMPILE_CACHE: COMPILED };
    const args = ['--test-reporter=tap', file];
    const run = spawnSync(process.execPath, args, { encoding: 'utf8', env, timeout: 60_000 });
    expect(run.stdout).toContain('ok 1 - a service that answers');
    expect(run.stdout).toContain('ok 2 - a service that hangs');
    expect(run.stdout).toContain('not ok 3 - an expectation that fails');
    expect(run.stdout).toContain('expected no calls of upstreams, 1 request came:');
    expect(run.status).toBe(1);
  }, 90_000); // prettier-ignore
});
