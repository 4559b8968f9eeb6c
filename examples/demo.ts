import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { createApiKey } from '../src/policies/authentication/api-keys/api-key.ts';
import { keepCallers } from './demo-callers.ts';
import { demoAddresses, writeDemoConfig } from './demo-config.ts';
import { DemoGateway } from './demo-gateway.ts';
import { DEMO_HELP, readDemoOptions, type DemoOptions } from './demo-options.ts';
import { findGatewayPorts, takesFreePorts, type GatewayPorts } from './demo-ports.ts';
import { findRedis } from './demo-redis.ts';
import { stepsOf, type Step } from './demo-steps.ts';
import { demoText, quietText } from './demo-text.ts';
import { PAGE_PORT, startPage } from './page/page-service.ts';
import { startPageRoutes } from './page/start-page.ts';
import { SAMPLE_CLIENT } from './services/identity-login.ts';
import type { HttpService } from './services/http-service.ts';
import { FREE_PORTS, NOTIFY_EVERY_MS, startSampleServices, type SampleServices } from './services/start.ts';
import { Traffic } from './traffic/traffic.ts';

/** That of the gateway: only this machine is served, because the demo gives tokens to whoever asks. */
const ENVIRONMENT = { ...process.env, HOST: process.env['HOST'] || '127.0.0.1' };
/** That of a second gateway, which takes whatever ports there are. */
const FREE = { ...ENVIRONMENT, PORT: '0', ADMIN_PORT: '0' };

/**
 * The gateway on embedded defaults in front of the sample services, and all that shows it. `PORT` and `ADMIN_PORT` are
 * those of the gateway; `PORTS=free` takes free ports for everything that has none named.
 */
class Demo {
  readonly #options: DemoOptions;
  readonly #ports: GatewayPorts;
  readonly #services: SampleServices;
  readonly #folder: string;
  readonly #apiKeys = { 'demo-client': createApiKey('demo').key, 'sample-partner': createApiKey('demo').key };
  readonly #gateways: DemoGateway[] = [];
  readonly #traffic: Traffic;
  readonly #ended = new AbortController();
  #page: HttpService | undefined;

  constructor(options: DemoOptions, ports: GatewayPorts, services: SampleServices, folder: string) {
    this.#options = options;
    this.#ports = ports;
    this.#services = services;
    this.#folder = folder;
    this.#traffic = new Traffic({
      gateways: () => this.#gateways.map(({ url }) => url),
      identity: services.identity,
      apiKey: this.#apiKeys['sample-partner'],
    });
  }

  /** Starts all of it, and says what there is. */
  async run(): Promise<void> {
    const { signal } = this.#ended;
    const page = (this.#page = await startPage(
      { port: takesFreePorts(process.env) ? 0 : PAGE_PORT },
      startPageRoutes({
        services: this.#services,
        traffic: this.#traffic,
        redisUrl: process.env['REDIS_URL'],
        gateways: this.#gateways,
        steps: () => this.#steps,
      }),
    ).catch(withWayOut));
    const { folder, issuer } = { folder: this.#folder, issuer: this.#services.identity.issuer };
    const config = await writeDemoConfig({ folder, ports: this.#ports, issuer, apiKeys: this.#apiKeys });
    await keepCallers(
      { folder, identity: this.#services.identity, apiKey: this.#apiKeys['demo-client'] },
      signal,
    );
    const variables = {
      ...demoAddresses(this.#services, page),
      SESSION_KEYS: randomBytes(32).toString('base64url'),
      CLIENT_SECRET: SAMPLE_CLIENT.secret,
    };
    await this.#start(config, this.#ports, variables);
    // Replicas share by Redis; without one there is nothing to share.
    if (process.env['REDIS_URL'] && !signal.aborted)
      await this.#start(config, await findGatewayPorts(FREE), variables);
    if (signal.aborted) return;
    if (this.#options.traffic) this.#traffic.start();
    progress('');
    process.stdout.write(this.#introduction());
  }

  /** Whether it was told to stop. */
  get hasEnded(): boolean {
    return this.#ended.signal.aborted;
  }

  /** Ends all of it, and the process. */
  async stop(exitCode: number): Promise<void> {
    if (this.hasEnded) return;
    this.#ended.abort();
    this.#traffic.stop();
    await Promise.all([
      ...this.#gateways.map((gateway) => gateway.stop()),
      this.#page?.stop(),
      this.#services.stop(),
    ]);
    await rm(this.#folder, { recursive: true, force: true });
    process.exit(exitCode);
  }

  async #start(
    config: string,
    ports: GatewayPorts,
    variables: Readonly<Record<string, string>>,
  ): Promise<void> {
    const gateway = new DemoGateway(config, ports, {
      ...variables,
      ADMIN: `http://127.0.0.1:${ports.adminPort}`,
      ...ENVIRONMENT,
    });
    this.#gateways.push(gateway);
    gateway.onExit((code) => void this.stop(code || 1));
    await gateway.ready();
  }

  get #steps(): readonly Step[] {
    const [first] = this.#gateways;
    const control = this.#services.control.url;
    return first === undefined
      ? []
      : stepsOf({ gateway: first.url, admin: first.adminUrl, control, folder: this.#folder });
  }

  #introduction(): string {
    const [first, second] = this.#gateways.map(({ url, adminUrl }) => ({ gateway: url, admin: adminUrl }));
    if (first === undefined) return '';
    if (this.#options.quiet) return quietText(first);
    const paint = process.stdout.isTTY ? styleText : (_style: unknown, text: string) => text;
    return demoText({
      ...first,
      second,
      folder: this.#folder,
      steps: this.#steps,
      traffic: this.#options.traffic,
      paint: paint as typeof styleText,
    });
  }
}

async function main(): Promise<void> {
  const options = readDemoOptions(process.argv.slice(2));
  if (options.help) return void process.stdout.write(DEMO_HELP);
  progress('Starting the gateway and its services …');
  const ports = await findGatewayPorts(ENVIRONMENT);
  if (process.env['REDIS_URL']) await findRedis(process.env['REDIS_URL']);
  const services = await startSampleServices({
    quiet: true,
    notifyEveryMs: NOTIFY_EVERY_MS,
    ...(takesFreePorts(process.env) ? { ports: FREE_PORTS } : {}),
  }).catch(withWayOut);
  // Nobody else may look into it.
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-'));
  const demo = new Demo(options, ports, services, folder);
  // A terminal that is closed hangs up, and would leave the gateway behind.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void demo.stop(0));
  await demo.run().catch((error: unknown) => {
    // What was under way when it ended had to fail.
    if (!demo.hasEnded) complain(error);
    return demo.stop(1);
  });
}

function withWayOut(error: unknown): never {
  throw new Error(`${(error as Error).message}; PORTS=free takes free ones`, { cause: error });
}

/** What a terminal shows for the moment; the next line takes its place. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${text}`);
}

function complain(error: unknown): void {
  progress('');
  process.stderr.write(`demo: ${(error as Error).message}\n`);
}

await main().catch((error: unknown) => {
  complain(error);
  process.exit(1);
});
