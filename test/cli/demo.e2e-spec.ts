import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { DEFAULT_PORTS } from '../../examples/services/start.ts';
import { ensureBuilt } from '../support/child.ts';
import { call } from '../support/client.ts';
import { commandsOf, Demo, isTaken, paste, requireCurl } from '../support/demo.ts';

const LIMIT_MS = 60_000;
const running: Demo[] = [];

beforeAll(async () => {
  requireCurl();
  await ensureBuilt();
}, LIMIT_MS);
afterAll(() => Promise.all(running.map((demo) => demo.interrupt())), LIMIT_MS);

function startDemo(environment: Readonly<Record<string, string>>): Demo {
  const demo = new Demo(environment);
  running.push(demo);
  return demo;
}

/** The last paragraph of what `curl -i` prints. */
const bodyOf = (output: string): unknown => JSON.parse(output.slice(output.indexOf('\r\n\r\n') + 4));

/** What each command shows, by the first words of the line above it. */
const SHOWN: Readonly<Record<string, (output: string) => void>> = {
  'A route from YAML': (output) => {
    expect(output).toMatch(/^HTTP\/1\.1 200 /);
    expect(output).toMatch(/^x-served-by: users-[12]\r$/im);
    expect(output).toMatch(/^ratelimit: /im);
    expect(bodyOf(output)).toMatchObject({ id: '2', name: 'Bob User' });
    expect(bodyOf(output)).not.toHaveProperty('internal');
  },
  'No credentials': (output) => {
    expect(output).toMatch(/^HTTP\/1\.1 401 /);
    expect(output).toMatch(/^content-type: application\/problem\+json/im);
    expect(output).toMatch(/^www-authenticate: /im);
    expect(bodyOf(output)).toMatchObject({ status: 401, code: 'credentials-missing' });
  },
  'A guest lacks the role': (output) => {
    expect(output).toMatch(/^HTTP\/1\.1 403 /);
    expect(bodyOf(output)).toMatchObject({ status: 403, code: 'permission-denied' });
  },
  'The same route with an API key': (output) => {
    expect(output).toMatch(/^HTTP\/1\.1 200 /);
    expect(bodyOf(output)).toMatchObject({ id: '1', name: 'Ada Admin' });
  },
  'Five requests in ten seconds': (output) => {
    const statuses = [...output.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => status);
    expect(statuses.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => '200'));
    expect(statuses).toHaveLength(7);
    expect(statuses.at(-1)).toBe('429');
    expect(output).toMatch(/429 [^]*^retry-after: \d+\r$/im);
  },
  'REST in front of gRPC': (output) => {
    const { orders } = JSON.parse(output) as { orders: { userId: string }[] };
    expect(orders.map(({ userId }) => userId)).toEqual(['2', '2']);
  },
  'A new order': (output) => {
    expect(output).toMatch(/^HTTP\/1\.1 201 /);
    expect(output).toMatch(/^location: \/api\/v1\/orders\/.+\r$/im);
    expect(bodyOf(output)).toMatchObject({ items: [{ sku: 'BOOK-1', quantity: 2 }] });
  },
  'One page from three services': (output) => {
    const page = JSON.parse(output) as object;
    expect(Object.keys(page).sort()).toEqual(['feed', 'notifications', 'user']);
    expect(page).toMatchObject({ user: { name: 'Bob User' }, feed: { items: expect.anything() } });
  },
  'The same page over GraphQL': (output) => {
    expect(JSON.parse(output)).toEqual({
      data: { homepage: { user: { name: 'Bob User' }, notifications: { unread: expect.any(Number) } } },
    });
  },
  'A dead service costs the page one section': (output) => {
    expect(JSON.parse(output)).toMatchObject({
      feed: { items: [] },
      degraded: [{ section: 'feed', code: 'upstream-unreachable' }],
    });
  },
  'What operators see': (output) => {
    expect(output).toMatch(/^gatehouse_request_duration_seconds_count\{route="users",.*\} [1-9]/m);
    expect(output).toMatch(/^gatehouse_rate_limit_decisions_total\{route="feed",outcome="limited"\} [1-9]/m);
  },
};

describe('the demo', () => {
  let demo: Demo;
  let said: string;

  beforeAll(async () => {
    demo = startDemo({ PORTS: 'free' });
    said = await demo.introduction();
  }, LIMIT_MS);

  it(
    'prints commands that do what the line above each of them promises',
    () => {
      const commands = commandsOf(said);
      const promised = Object.keys(SHOWN);
      expect(commands).toHaveLength(promised.length);
      expect(said.match(/^curl /gm)).toHaveLength(promised.length);
      for (const [index, { shows, command }] of commands.entries()) {
        const promise = promised[index] ?? '';
        expect(shows).toContain(promise);
        SHOWN[promise]?.(paste(command));
      }
    },
    LIMIT_MS,
  );

  it.each(['admin', 'user', 'guest'])('prints a token of %s that the gateway takes', async (user) => {
    const token = new RegExp(`^${user}\\n(ey\\S+)$`, 'm').exec(said)?.[1];
    const answer = await call(`${gateway(said)}/api/v2/payments/none`, {
      headers: { authorization: `Bearer ${String(token)}` },
    });
    // Only an administrator gets as far as the service, which has no such payment.
    expect(answer.status).toBe(user === 'admin' ? 404 : 403);
  });

  it('prints an API key that the gateway takes', async () => {
    const key = /^API key\n(gh_demo_\S+)$/m.exec(said)?.[1];
    const answer = await call(`${gateway(said)}/api/v2/users/2`, { headers: { 'x-api-key': String(key) } });
    expect(answer.status).toBe(200);
  });

  it('prints addresses for browsers that are answered with HTML', async () => {
    const addresses = [...said.matchAll(/^(http:\S+) {2}/gm)].map(([, address]) => String(address));
    expect(addresses).toHaveLength(6);
    for (const address of addresses) {
      const { status, headers } = await call(address, { headers: { accept: 'text/html' } });
      expect([address, status, headers['content-type']]).toEqual([address, 200, 'text/html; charset=utf-8']);
    }
  });

  it(
    'leaves no process, no listener and no credentials behind after Ctrl-C',
    async () => {
      const processes = demo.processes();
      expect(processes).toHaveLength(2);
      const ports = [...new Set(said.match(/(?<=127\.0\.0\.1:)\d+/g))].map(Number);
      expect(ports.length).toBe(2 + Object.keys(DEFAULT_PORTS).length);
      const folder = String(/-H @(\S+)\/user /.exec(said)?.[1]);
      expect(existsSync(folder)).toBe(true);

      expect(await demo.interrupt()).toEqual({ code: 0, stdout: said, stderr: '' });
      for (const pid of processes) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
      expect(await Promise.all(ports.map(isTaken))).toEqual(ports.map(() => false));
      expect(existsSync(folder)).toBe(false);
    },
    LIMIT_MS,
  );
});

describe('a demo that cannot start', () => {
  it.each(['PORT', 'ADMIN_PORT'])(
    'says in one line that %s is taken',
    async (variable) => {
      const { server, port } = await occupy();
      const ended = await startDemo({ PORTS: 'free', [variable]: String(port) }).end();
      expect(ended).toEqual({
        code: 1,
        stdout: '',
        stderr: `demo: port ${port} on 127.0.0.1 is already in use; set ${variable} to another one, or to 0 for any free one\n`,
      });
      server.close();
    },
    LIMIT_MS,
  );

  it(
    'says in one line that the port of a service is taken',
    async () => {
      const port = DEFAULT_PORTS['users-1'];
      // Somebody else may have it already; then it is taken as well.
      const own = await occupy(port).catch(() => undefined);
      const ended = await startDemo({ PORT: '0', ADMIN_PORT: '0' }).end();
      expect(ended).toEqual({
        code: 1,
        stdout: '',
        stderr: `demo: sample service users-1: port ${port} is already in use; PORTS=free takes free ones\n`,
      });
      own?.server.close();
    },
    LIMIT_MS,
  );

  it(
    'says what is wrong with a port that is none',
    async () => {
      const ended = await startDemo({ PORTS: 'free', PORT: '99999' }).end();
      expect(ended).toMatchObject({ code: 1, stdout: '' });
      expect(ended.stderr).toMatch(
        /^demo: environment {2}PORT {2}expected a port number .*, given "99999"\n/,
      );
      expect(ended.stderr).not.toMatch(/^ +at /m);
    },
    LIMIT_MS,
  );
});

function gateway(said: string): string {
  return String(/Gatehouse is at (http:\S+),/.exec(said)?.[1]);
}

async function occupy(port = 0): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}
