import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { hashApiKey } from '../src/policies/authentication/api-keys/api-key.ts';
import type { GatewayPorts } from './demo-ports.ts';
import { readPageConfig } from './page/page-config.ts';
import { SAMPLE_CLIENT } from './services/identity-login.ts';
import type { HttpService } from './services/http-service.ts';
import type { SampleServices } from './services/start.ts';

const SHIPPED = join(import.meta.dirname, '../config/gateway.yaml');

/** What the configuration of the demo depends on. */
export interface DemoSetting {
  readonly folder: string;
  readonly ports: GatewayPorts;
  /** The issuer that browsers log in at. */
  readonly issuer: string;
  /** API keys by client. */
  readonly apiKeys: Readonly<Record<string, string>>;
}

/** Writes the shipped configuration plus the page, log-in of browsers, and API keys, which are only known by their hashes. */
export async function writeDemoConfig({ folder, ports, issuer, apiKeys }: DemoSetting): Promise<string> {
  const document = parseDocument(await readFile(SHIPPED, 'utf8'));
  const keys = Object.entries(apiKeys).map(([clientId, key]) => ({
    sha256: hashApiKey(key),
    clientId,
    roles: ['user'],
  }));
  document.setIn(['identity', 'apiKeys'], keys);
  document.setIn(['identity', 'revocation'], {});
  document.setIn(['identity', 'login'], loginAt(ports, issuer));
  document.setIn(['defaults', 'policies', 'authentication'], { schemes: ['session', 'jwt', 'apiKey'] });
  const { upstreams, routes } = await readPageConfig();
  for (const [name, upstream] of Object.entries(upstreams)) document.setIn(['upstreams', name], upstream);
  for (const route of routes) document.addIn(['routes'], route);
  const file = join(folder, 'gateway.yaml');
  await writeFile(file, document.toString(), { mode: 0o600 });
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

/** The variables of the configuration that say where everything is. */
export function demoAddresses(services: SampleServices, page: HttpService): Record<string, string> {
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
