import { afterEach, beforeEach, expect, it } from '@jest/globals';
import Fastify, { type FastifyInstance } from 'fastify';
import { readFileSync } from 'node:fs';
import { AuditFolder, type WrittenEvent } from '../../test/support/audit.ts';
import { call, type Answer } from '../../test/support/client.ts';
import { AuditTrail } from '../audit/audit-trail.ts';
import { auditSchema } from '../audit/audit.schema.ts';
import { createLogger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { relayed } from './relayed-requests.ts';
import { auditOrders, noteOrder, tellSecret } from './audited-orders.ts';

const ECHO = {
  isEcho: true,
  isTls: false,
  localAddress: '127.0.0.1',
  reach: 'all',
  verdict: { caller: { name: 'ann', role: 'admin', by: 'token' } },
} as const;
const TOKEN = 'Bearer abcdefghijklmnopqrstuvwxyz';

let folder: AuditFolder;
let trail: AuditTrail;
let server: FastifyInstance;
let url: string;
beforeEach(async () => {
  folder = new AuditFolder();
  trail = new AuditTrail(createLogger('silent'), new Metrics());
  trail.use(auditSchema.parse({ file: folder.file }), folder.folder);
  server = Fastify();
  auditOrders(server, trail);
  server.post('/explain', () => 'seen');
  server.get('/state', () => 'seen');
  server.post('/told', (request) => (tellSecret(request), TOKEN));
  server.post('/hidden', () => TOKEN);
  server.get('/kept', (_request, reply) => reply.code(403).send('no'));
  server.post(
    '/orders/:id',
    (request) => (noteOrder(request, { of: 'it' }), noteOrder(request, { by: 1 }), 'done'),
  );
  server.post('/bad', (_request, reply) => reply.code(400).send('no'));
  server.post('/broken', (_request, reply) => reply.code(500).send('no'));
  url = await server.listen({ port: 0, host: '127.0.0.1' });
});
afterEach(async () => {
  await server.close();
  await trail.close();
  folder.remove();
});

const post = (path: string): Promise<Answer> =>
  call(url + path, { method: 'POST', headers: { 'x-gatehouse-admin': 'cli', 'user-agent': 'test' } });

async function written(): Promise<WrittenEvent[]> {
  await trail.close();
  const text = readFileSync(folder.file, { encoding: 'utf8', flag: 'a+' });
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as WrittenEvent);
}

it('writes each order, whatever comes of it, with what is noted of it', async () => {
  for (const path of ['/orders/7?secret=x', '/bad', '/broken', '/nowhere']) await post(path);
  expect(
    (await written()).map(({ action, outcome, target, status }) => [action, outcome, target, status]),
  ).toEqual([
    ['POST /orders/:id', 'done', '/orders/7', 200],
    ['POST /bad', 'refused', '/bad', 400],
    ['POST /broken', 'failed', '/broken', 500],
    ['POST (none)', 'refused', '/nowhere', 404],
  ]);
});

it('says who, from where, and what about', async () => {
  await post('/orders/7');
  expect(await written()).toMatchObject([
    {
      kind: 'admin',
      actor: { type: 'cli' },
      source: { address: '127.0.0.1', userAgent: 'test' },
      details: { of: 'it', by: 1 },
    },
  ]);
});

it('writes nothing of what only looks', async () => {
  await post('/explain');
  await call(`${url}/state`);
  // Whom the guard of the listener refuses is written; this is an answer like others.
  await call(`${url}/kept`);
  expect(await written()).toEqual([]);
});

it('hides secrets in answers, but for those that are made to be told', async () => {
  expect((await post('/hidden')).text).not.toContain('abcdefghijkl');
  expect((await post('/told')).text).toBe(TOKEN);
});

it('carries out no order that cannot be written, where that is asked for', async () => {
  trail.use(auditSchema.parse({ file: 'gone/audit.jsonl', onFailure: 'refuse' }), folder.folder);
  for (let waited = 0; trail.state !== 'failing' && waited < 200; waited += 1) {
    await post('/orders/7');
    await new Promise((resolve) => void setTimeout(resolve, 10));
  }
  expect((await post('/orders/7')).status).toBe(503);
  expect((await call(`${url}/state`)).status).toBe(200);
  await trail.close();
});

it.each([
  ['/orders/7', []],
  ['/bad', [['POST /bad', 'refused', { failedAtWorker: 2 }]]],
  ['/broken', [['POST /broken', 'failed', { failedAtWorker: 2 }]]],
])(
  'leaves what another worker was told first to that one, unless it fails here: %s',
  async (path, events) => {
    const echo = { ...ECHO, worker: { number: 2, of: 3 } };
    await relayed.run(echo, async () => await server.inject({ method: 'POST', url: path }));
    expect((await written()).map(({ action, outcome, details }) => [action, outcome, details])).toEqual(
      events,
    );
  },
);
