import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';
import { parseDocument } from 'yaml';
import { createApiKey, hashApiKey } from '../src/policies/authentication/api-keys/api-key.ts';
import { findGatewayPorts, takesFreePorts, type GatewayPorts } from './demo-ports.ts';
import { demoText } from './demo-text.ts';
import { readPageConfig } from './page/page-config.ts';
import { PAGE_PORT, startPage } from './page/page-service.ts';
import { SAMPLE_CLIENT } from './services/identity-login.ts';
import type { HttpService } from './services/http-service.ts';
import { FREE_PORTS, NOTIFY_EVERY_MS, startSampleServices, type SampleServices } from './services/start.ts';

const ROOT = join(import.meta.dirname, '..');
/** Another build than that of `npm run build`, such as that of the tests. */
const BIN = process.env['GATEHOUSE_BIN'] || join(ROOT, 'bin/gatehouse.js');
const BOOT_LIMIT_MS = 60_000;

const FREE = { ...process.env, PORT: '0', ADMIN_PORT: '0' };

/** What stands behind the gateway. */
interface Behind {
  readonly services: SampleServices;
  readonly page: HttpService;
}

/**
 * Runs the gateway on embedded defaults in front of the sample services, until Ctrl-C. `PORT` and `ADMIN_PORT` are
 * those of the gateway; `PORTS=free` takes free ports for everything that has none named.
 */
async function main(): Promise<void> {
  const ports = await findGatewayPorts(process.env);
  const behind = await startBehind();
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-'));
  const gateways: ChildProcess[] = [];
  let stopping = false;
  const stop = async (exitCode: number) => {
    if (stopping) return;
    stopping = true;
    await Promise.all([...gateways.map(stopGateway), behind.page.stop(), behind.services.stop()]);
    await rm(folder, { recursive: true, force: true });
    process.exit(exitCode);
  };
  process.on('SIGINT', () => void stop(0)).on('SIGTERM', () => void stop(0));
  try {
    const apiKey = createApiKey('demo').key;
    const config = await writeConfig({ folder, apiKey, ports, services: behind.services });
    const secrets = {
      SESSION_KEYS: randomBytes(32).toString('base64url'),
      CLIENT_SECRET: SAMPLE_CLIENT.secret,
    };
    const start = async (at: GatewayPorts): Promise<void> => {
      const gateway = startGateway(config, at, {
        ...addresses(behind),
        ...secrets,
        ADMIN: `http://127.0.0.1:${at.adminPort}`,
      });
      gateways.push(gateway);
      gateway.once('exit', (code) => void stop(code || 1));
      await Promise.race([ready(at), once(gateway, 'exit')]);
    };
    await start(ports);
    // Replicas share by Redis; without one there is nothing to share.
    const second = process.env['REDIS_URL'] && !stopping ? await findGatewayPorts(FREE) : undefined;
    if (second !== undefined) await start(second);
    if (!stopping)
      process.stdout.write(await introduce({ ports, second, services: behind.services, folder, apiKey }));
  } catch (error) {
    process.stderr.write(`demo: ${(error as Error).message}\n`);
    await stop(1);
  }
}

async function startBehind(): Promise<Behind> {
  const free = takesFreePorts(process.env);
  try {
    const services = await startSampleServices({
      quiet: true,
      notifyEveryMs: NOTIFY_EVERY_MS,
      ...(free ? { ports: FREE_PORTS } : {}),
    });
    return { services, page: await startPage({ port: free ? 0 : PAGE_PORT }) };
  } catch (error) {
    throw new Error(`${(error as Error).message}; PORTS=free takes free ones`, { cause: error });
  }
}

interface Setting {
  readonly folder: string;
  readonly apiKey: string;
  readonly ports: GatewayPorts;
  readonly services: SampleServices;
}

/** The shipped configuration plus the page, log-in of browsers, and one API key, which is only known by its hash. */
async function writeConfig({ folder, apiKey, ports, services }: Setting): Promise<string> {
  const document = parseDocument(await readFile(join(ROOT, 'config/gateway.yaml'), 'utf8'));
  document.setIn(
    ['identity', 'apiKeys'],
    [{ sha256: hashApiKey(apiKey), clientId: 'demo-client', roles: ['user'] }],
  );
  document.setIn(['identity', 'revocation'], {});
  document.setIn(['identity', 'login'], loginAt(ports, services.identity.issuer));
  document.setIn(['defaults', 'policies', 'authentication'], { schemes: ['session', 'jwt', 'apiKey'] });
  const { upstreams, routes } = await readPageConfig();
  for (const [name, upstream] of Object.entries(upstreams)) document.setIn(['upstreams', name], upstream);
  for (const route of routes) document.addIn(['routes'], route);
  const file = join(folder, 'gateway.yaml');
  await writeFile(file, document.toString());
  return file;
}

/** Browsers log in at the sample provider; where there is Redis, sessions are there. */
function loginAt({ port }: GatewayPorts, issuer: string): object {
  return {
    issuer,
    clientId: SAMPLE_CLIENT.id,
    clientSecretEnv: 'CLIENT_SECRET',
    publicOrigin: `http://127.0.0.1:${port}`,
    paths: { home: '/demo/login.html', loggedOut: '/demo/login.html' },
    session: { store: process.env['REDIS_URL'] ? 'redis' : 'cookie', keysEnv: 'SESSION_KEYS' },
  };
}

function startGateway(
  config: string,
  { port, adminPort }: GatewayPorts,
  variables: Readonly<Record<string, string>>,
): ChildProcess {
  return spawn(
    process.execPath,
    [
      '--max-semi-space-size=64',
      '--no-allocation-site-pretenuring',
      '--v8-pool-size=1',
      BIN,
      'start',
      '--config',
      config,
    ],
    {
      env: {
        ...variables,
        ...process.env,
        PORT: String(port),
        ADMIN_PORT: String(adminPort),
        // Without Redis it would only warn that revocations are of one process, and there is but one.
        LOG_LEVEL: process.env['LOG_LEVEL'] || (process.env['REDIS_URL'] ? 'warn' : 'error'),
        // Nobody but the one who presses Ctrl-C is waiting.
        DRAIN_DELAY: '0s',
        SHUTDOWN_TIMEOUT: '1s',
      },
      stdio: ['ignore', 'inherit', 'inherit'],
      // Ctrl-C reaches the whole group; the gateway is told to stop by us, once.
      detached: true,
    },
  );
}

/** The variables of the configuration that say where everything is. */
function addresses({ services, page }: Behind): Record<string, string> {
  return {
    USERS_1: services['users-1'].url,
    USERS_2: services['users-2'].url,
    FEED: services.feed.url,
    PAYMENTS: services.payments.url,
    ORDERS: services.orders.url,
    NOTIFICATIONS: services.notifications.url,
    ISSUER: services.identity.url,
    CONTROL: services.control.url,
    PAGE: page.url,
  };
}

async function stopGateway(gateway: ChildProcess | undefined): Promise<void> {
  if (gateway === undefined || gateway.exitCode !== null || gateway.signalCode !== null) return;
  const exited = once(gateway, 'exit');
  gateway.kill('SIGTERM');
  await exited;
}

async function ready({ port }: GatewayPorts): Promise<void> {
  const limit = performance.now() + BOOT_LIMIT_MS;
  while (performance.now() < limit) {
    const answer = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(50);
  }
  throw new Error(
    `the gateway did not get ready within ${String(BOOT_LIMIT_MS / 1000)} s; \`LOG_LEVEL=info npm run demo\` shows how far it comes`,
  );
}

interface Introduced extends Setting {
  readonly second: GatewayPorts | undefined;
}

/** Writes each caller's header field to a file, so that the commands stay short, and renders the text. */
async function introduce({ ports, second, services, folder, apiKey }: Introduced): Promise<string> {
  const { port, adminPort } = ports;
  const tokens: Record<string, string> = {};
  for (const user of ['admin', 'user', 'guest'] as const) {
    tokens[user] = await services.identity.token(user);
    await writeFile(join(folder, user), `Authorization: Bearer ${tokens[user]}\n`);
  }
  await writeFile(join(folder, 'key'), `X-API-Key: ${apiKey}\n`);
  const paint = process.stdout.isTTY ? styleText : (_style: unknown, text: string) => text;
  return demoText({
    gateway: `http://127.0.0.1:${port}`,
    second: second && `http://127.0.0.1:${second.port}`,
    admin: `http://127.0.0.1:${adminPort}`,
    control: services.control.url,
    services: Object.values(services).flatMap((one) => ('url' in one ? [`${one.name} ${one.url}`] : [])),
    folder,
    tokens,
    apiKey,
    paint: paint as typeof styleText,
  });
}

await main().catch((error: unknown) => {
  process.stderr.write(`demo: ${(error as Error).message}\n`);
  process.exit(1);
});
