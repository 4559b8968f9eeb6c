import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call } from '../../support/client.ts';
import { runCommand } from '../../support/command.ts';
import { open } from '../../support/socket-client.ts';
import { orders } from '../../../src/routes/orders/orders.module.ts';
import { getUser } from '../../../src/routes/services/users.calls.ts';
import { Hall } from './hall.ts';
import type { Around, PageScenes, Scene } from './scene.ts';

const ROOT = join(import.meta.dirname, '../../..');

/** A block that shows what comes of a request to the hall. */
function inHall(answer: (hall: Hall) => Promise<string>, varies: readonly RegExp[] = []): Scene {
  let hall: Hall;
  return {
    set: async () => {
      hall = await Hall.open();
      return { gateway: hall.gateway };
    },
    answer: () => answer(hall),
    varies,
  };
}

/** The answer of an aggregate one of whose services is too slow. */
async function degraded(hall: Hall): Promise<string> {
  const answer = await call(`${hall.gateway.url}/api/v2/profile/2`, {
    headers: await hall.bearer('2', ['user']),
  });
  const shown = ['cache-control', 'server-timing'].map(
    (name) => `${name}: ${String(answer.headers[name])}\n`,
  );
  return `HTTP/1.1 ${answer.status} OK\n${shown.join('')}\n${answer.text}\n`;
}

async function records(hall: Hall): Promise<string> {
  const headers = { ...(await hall.bearer('2', ['user'])), accept: 'application/x-ndjson' };
  return (await call(`${hall.gateway.url}/api/homepage?fields=user,feed`, { headers })).text;
}

/** The event of a request that is refused. */
async function denied(hall: Hall): Promise<string> {
  const headers = {
    ...(await hall.bearer('7c2f', [])),
    'x-forwarded-for': '203.0.113.9',
    'user-agent': 'curl/8.14.1',
  };
  await call(`${hall.gateway.url}/api/users/7?force=1`, { method: 'DELETE', headers });
  for (;;) {
    const [line] = readFileSync(hall.audit, 'utf8')
      .split('\n')
      .filter((event) => event.includes('/api/users/7'));
    if (line) return line;
    await new Promise(setImmediate);
  }
}

/** The member of the access line of a socket. */
async function socketLine(hall: Hall): Promise<string> {
  const { socket, messages, closed } = await open('/chat/lobby', { url: hall.gateway.url });
  for (const text of ['"hello"', '"how are you?"', '"bye"']) socket.send(text);
  while (messages.length < 3) await new Promise(setImmediate);
  socket.close(1000);
  await closed;
  const [line] = await hall.gateway.linesWhere((one) => one['socket'] !== undefined);
  return JSON.stringify({ socket: line?.['socket'] });
}

const CONTRACTED = `version: 1
modules: [orders]
identity: { issuers: [{ issuer: 'https://id.test/', secretEnv: SIGNING, audiences: [api] }], apiKeys: [{ sha256: '${'0'.repeat(64)}', clientId: a }] }
upstreams: { orders: { protocol: grpc, descriptorSet: ${ROOT}/config/descriptors/shop.binpb, targets: ['grpc://127.0.0.1:1'] } }
`;

/** A repository whose last release promised a property more, and a quota less. */
async function released(): Promise<Around> {
  const around = { env: { GATEHOUSE_CONFIG: 'gateway.yaml', SIGNING: 's'.repeat(32) }, modules: [orders] };
  writeFileSync('gateway.yaml', CONTRACTED);
  await runCommand(['contracts', '--out', 'contracts'], around.env, around.modules);
  const promised = readFileSync('contracts/openapi.json', 'utf8');
  const noted = promised
    .replaceAll(/("createdAt": )/g, '"remark": { "type": "string" },\n$1')
    .replaceAll(/("createdAt")(?=\n\s+\])/g, '"remark", $1');
  writeFileSync('contracts/openapi.json', noted);
  commit();
  git('tag', 'v1.4.0');
  writeFileSync(
    'gateway.yaml',
    `${CONTRACTED}defaults: { policies: { quota: { limit: 1000, window: day, withoutRedis: memory } } }\n`,
  );
  commit();
  return around;
}

function git(...args: string[]): void {
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'commit.gpgsign=false'];
  execFileSync('git', [...identity, ...args], { stdio: 'pipe' });
}

function commit(): void {
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message', 'as it is');
}

/** Blocks that show what is answered or written. */
export const answering: Readonly<Record<string, PageScenes>> = {
  'docs/aggregation.md': { 'HTTP/1.1 200 OK': inHall(degraded) },
  'docs/audit.md': { '{': inHall(denied, [/\b[0-9a-f]{8}-\d+\b/]) },
  'docs/calls.md': { '{': { set: () => ({}), answer: () => JSON.stringify(getUser.description) } },
  'docs/contracts.md': { '$ npx gatehouse contracts check': { set: released, varies: [/\b[0-9a-f]{12}\b/] } },
  'docs/policies/server-timing.md': {
    '$ curl': {
      set: async () => {
        const hall = await Hall.open();
        const { authorization } = await hall.bearer('2', ['user']);
        return { gateway: hall.gateway, env: { TOKEN: authorization.slice('Bearer '.length) } };
      },
    },
  },
  'docs/views.md': { '{"section"': inHall(records, [/(?<="(?:user|feed)":)\d+/]) },
  'docs/websocket.md': { '"socket"': inHall(socketLine) },
};
