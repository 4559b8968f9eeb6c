import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Reloads } from '../../src/snapshot/reloads.ts';
import { AuditFolder } from '../support/audit.ts';
import { certificate } from '../support/certificates.ts';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';

/** Until a watch that looks every 10 ms has found and told whatever there is. */
const FOUND_MS = 250;
const TOLD = 'another configuration is in force';

let audit: AuditFolder;
let gateway: TestGateway;
let paths: { readonly ca: string; readonly cert: string; readonly key: string };
let file: string;

function renew(): void {
  const { cert, key } = certificate({ name: 'it' });
  writeFileSync(paths.ca, cert);
  writeFileSync(paths.cert, cert);
  writeFileSync(paths.key, key);
}

beforeEach(async () => {
  audit = new AuditFolder();
  const at = (name: string): string => join(audit.folder, name);
  paths = { ca: at('ca.pem'), cert: at('cert.pem'), key: at('key.pem') };
  file = at('gateway.yaml');
  renew();
  const it = { targets: ['https://localhost:9'], tls: paths };
  const config = JSON.stringify({ version: 1, audit: { file: audit.file }, upstreams: { it }, routes: [] });
  writeFileSync(file, config);
  gateway = await startGateway({ config, file });
  gateway.gateway.app.get(Reloads).watch({ lookEveryMs: 10, quietMs: 60 });
  // What was written just before it was read may have been written just after.
  await sleep(FOUND_MS);
});
afterEach(async () => {
  await gateway.stop();
  audit.remove();
});

/** How often each of those who tell of it has told of a trigger. */
async function told(trigger: string): Promise<readonly number[]> {
  const lines = gateway.lines.filter((line) => line.msg === TOLD && line['trigger'] === trigger);
  const events = await audit.where(({ kind, actor }) => kind === 'config' && actor.id === trigger, 0);
  const { rows } = (await call(`${gateway.adminUrl}/changes`)).json<{ rows: { text: string }[] }>();
  return [lines.length, events.length, rows.filter(({ text }) => text.includes(`(${trigger})`)).length];
}

const generations = async (): Promise<number> =>
  (await call(`${gateway.adminUrl}/config/history`)).json<{ total: number }>().total;

it('certificates that are renewed before a SIGHUP are told of once, by that', async () => {
  const before = await told('certificate');
  renew();
  expect((await gateway.gateway.reload('SIGHUP')).outcome).toBe('reloaded');
  await sleep(FOUND_MS);
  expect([await told('SIGHUP'), await told('certificate')]).toEqual([[1, 1, 1], before]);
  expect(await generations()).toBe(2);
});

it('all that are renewed at once are told of once, and each later time again', async () => {
  const [before = 0] = await told('certificate');
  for (const times of [1, 2]) {
    renew();
    await gateway.linesWhere(({ msg, trigger }) => msg === TOLD && trigger === 'certificate', before + times);
    await sleep(FOUND_MS);
    expect(await told('certificate')).toEqual(Array(3).fill(before + times));
  }
  // The configuration is the one that it was.
  expect(await generations()).toBe(1);
});

it('one that is renewed after a SIGHUP has read it is told of', async () => {
  const [before = 0] = await told('certificate');
  await gateway.gateway.reload('SIGHUP');
  renew();
  await gateway.linesWhere(({ msg, trigger }) => msg === TOLD && trigger === 'certificate', before + 1);
  expect((await told('certificate'))[0]).toBe(before + 1);
});
