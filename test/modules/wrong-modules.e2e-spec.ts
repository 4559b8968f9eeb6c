import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../support/command.ts';
const x = 1;
it('dumps', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-wrong-'));
  const file = join(folder, 'gateway.yaml');
  writeFileSync(file, `version: 1
modules: [wrong]
defaults: { policies: { authentication: public } }
upstreams:
  users: { targets: ['http://127.0.0.1:9'] }
`);
  const { main } = await import('../../src/cli/main.ts');
  const load = async () => (await import('./wrong.module.fixture.ts')).modules;
  const w = process.stderr.write;
  let t = '';
  process.stderr.write = ((c: string) => ((t += c), true)) as never;
  await main(['validate', '--config', file], load);
  process.stderr.write = w;
  writeFileSync('/tmp/e16/out.txt', t);
});
