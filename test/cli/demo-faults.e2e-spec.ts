import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { DEFAULT_PORTS } from '../../examples/services/start.ts';
import { ensureBuilt } from '../support/child.ts';
import { Demo } from '../support/demo.ts';

const LIMIT_MS = 60_000;
const running: Demo[] = [];

beforeAll(() => ensureBuilt(), LIMIT_MS);
afterAll(() => Promise.all(running.map((demo) => demo.interrupt())), LIMIT_MS);

function startDemo(environment: Readonly<Record<string, string>>, args: readonly string[] = []): Demo {
  const demo = new Demo(environment, args);
  running.push(demo);
  return demo;
}

describe('a demo that cannot start', () => {
  it.each(['PORT', 'ADMIN_PORT'])(
    'says in one line that %s is taken',
    async (variable) => {
      const { server, port } = await occupy();
      const ended = await startDemo({ PORTS: 'free', [variable]: String(port) }).end();
      expect(ended).toEqual({
        code: 1,
        stdout: '',
        stderr: `demo: port ${port} on 127.0.0.1 is already in use; set ${variable} to another one, or to 0 for any free one; PORTS=free takes free ones for all\n`,
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
    'says in one line which option it does not know',
    async () => {
      expect(await startDemo({ PORTS: 'free' }, ['--silent']).end()).toEqual({
        code: 1,
        stdout: '',
        stderr: "demo: Unknown option '--silent'; there are --quiet, --no-traffic and --help\n",
      });
    },
    LIMIT_MS,
  );

  it(
    'says in one line that there is no Redis where it is told to look for one',
    async () => {
      const { server, port } = await occupy();
      server.close();
      expect(await startDemo({ PORTS: 'free', REDIS_URL: `redis://127.0.0.1:${port}` }).end()).toEqual({
        code: 1,
        stdout: '',
        stderr: `demo: no Redis at 127.0.0.1:${port} (ECONNREFUSED); start one, or do without REDIS_URL\n`,
      });
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

async function occupy(port = 0): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}
