import { spawn, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';
import { parseDocument } from 'yaml';
import { demoText } from './demo-text.ts';
import { readPageConfig } from './page/page-config.ts';
import { PAGE_PORT, startPage } from './page/page-service.ts';
import { NOTIFY_EVERY_MS, startSampleServices, type SampleServices } from './services/start.ts';

const ROOT = join(import.meta.dirname, '..');
const PORT = process.env['PORT'] || '8080';
const ADMIN_PORT = process.env['ADMIN_PORT'] || '9080';
const BOOT_LIMIT_MS = 20_000;

/** Runs the gateway on embedded defaults in front of the sample services, until Ctrl-C. */
async function main(): Promise<void> {
  const services = await startSampleServices({ quiet: true, notifyEveryMs: NOTIFY_EVERY_MS });
  const page = await startPage({ port: PAGE_PORT });
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-'));
  let gateway: ChildProcess | undefined;
  let stopping = false;
  const stop = async (exitCode: number) => {
    if (stopping) return;
    stopping = true;
    await Promise.all([stopGateway(gateway), page.stop(), services.stop()]);
    await rm(folder, { recursive: true, force: true });
    process.exit(exitCode);
  };
  process.on('SIGINT', () => void stop(0)).on('SIGTERM', () => void stop(0));
  try {
    const apiKey = `gh_demo_${randomBytes(24).toString('base64url')}`;
    gateway = startGateway(await writeConfig(folder, apiKey));
    gateway.once('exit', (code) => void stop(code || 1));
    await Promise.race([ready(), once(gateway, 'exit')]);
    if (!stopping) process.stdout.write(await introduce(services, folder, apiKey));
  } catch (error) {
    process.stderr.write(`demo: ${(error as Error).message}\n`);
    await stop(1);
  }
}

/** The shipped configuration plus the page, and one API key, which is only known by its hash. */
async function writeConfig(folder: string, apiKey: string): Promise<string> {
  const document = parseDocument(await readFile(join(ROOT, 'config/gateway.yaml'), 'utf8'));
  document.setIn(
    ['identity', 'apiKeys'],
    [{ sha256: createHash('sha256').update(apiKey).digest('hex'), clientId: 'demo-client', roles: ['user'] }],
  );
  const { upstreams, routes } = await readPageConfig();
  for (const [name, upstream] of Object.entries(upstreams)) document.setIn(['upstreams', name], upstream);
  for (const route of routes) document.addIn(['routes'], route);
  const file = join(folder, 'gateway.yaml');
  await writeFile(file, document.toString());
  return file;
}

function startGateway(config: string): ChildProcess {
  return spawn(
    process.execPath,
    ['--max-semi-space-size=64', join(ROOT, 'bin/gatehouse.js'), 'start', '--config', config],
    {
      env: {
        ...process.env,
        PORT,
        ADMIN_PORT,
        LOG_LEVEL: process.env['LOG_LEVEL'] || 'warn',
        SHUTDOWN_TIMEOUT: '1s',
      },
      stdio: ['ignore', 'inherit', 'inherit'],
      // Ctrl-C reaches the whole group; the gateway is told to stop by us, once.
      detached: true,
    },
  );
}

async function stopGateway(gateway: ChildProcess | undefined): Promise<void> {
  if (gateway === undefined || gateway.exitCode !== null) return;
  const exited = once(gateway, 'exit');
  gateway.kill('SIGTERM');
  await exited;
}

async function ready(): Promise<void> {
  const limit = performance.now() + BOOT_LIMIT_MS;
  while (performance.now() < limit) {
    const answer = await fetch(`http://127.0.0.1:${PORT}/health/ready`).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(50);
  }
  throw new Error('the gateway did not get ready');
}

/** Writes each caller's header field to a file, so that the commands stay short, and renders the text. */
async function introduce(services: SampleServices, folder: string, apiKey: string): Promise<string> {
  const tokens: Record<string, string> = {};
  for (const user of ['admin', 'user', 'guest'] as const) {
    tokens[user] = await services.identity.token(user);
    await writeFile(join(folder, user), `Authorization: Bearer ${tokens[user]}\n`);
  }
  await writeFile(join(folder, 'key'), `X-API-Key: ${apiKey}\n`);
  const paint = process.stdout.isTTY ? styleText : (_style: unknown, text: string) => text;
  return demoText({
    gateway: `http://127.0.0.1:${PORT}`,
    admin: `http://127.0.0.1:${ADMIN_PORT}`,
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
