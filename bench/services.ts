/**
 * Runs the sample services for the bench, in one process on any free ports, and prints one line of JSON: their
 * addresses and, because a limit counts per principal, a token for each of TOKENS different administrators, signed with
 * TOKEN_ALGORITHM.
 *
 * @module
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TokenAlgorithm } from '../examples/services/identity.ts';
import { FREE_PORTS, startSampleServices } from '../examples/services/start.ts';

/** What the process prints. */
export interface ServiceReport {
  /** Environment variables for configuration files and twins: `USERS`, `ORDERS` ... with addresses. */
  readonly env: Readonly<Record<string, string>>;
  readonly tokens: readonly string[];
  /** Address of the control server, which tells how many requests each service has seen. */
  readonly control: string;
}

const LIFETIME_S = 6 * 3600;

const services = await startSampleServices({ ports: FREE_PORTS, quiet: true });
const count = Number(process.env['TOKENS'] ?? 1);
const exp = Math.floor(Date.now() / 1000) + LIFETIME_S;
const alg = (process.env['TOKEN_ALGORITHM'] ?? 'ES256') as TokenAlgorithm;
const tokens: string[] = [];
for (let i = 1; i <= count; i += 1) {
  tokens.push(await services.identity.token('admin', { sub: String(i), exp }, { alg }));
}
// Takes spans, and throws them away.
const collector = createServer((request, response) => {
  request.resume().once('end', () => response.end());
}).listen(0, '127.0.0.1');
await once(collector, 'listening');
const report: ServiceReport = {
  env: {
    USERS: services['users-1'].url,
    USERS_2: services['users-2'].url,
    FEED: services.feed.url,
    PAYMENTS: services.payments.url,
    ORDERS: services.orders.url,
    NOTIFICATIONS: services.notifications.url,
    ISSUER: services.identity.url,
    COLLECTOR: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
  },
  tokens,
  control: services.control.url,
};
console.log(JSON.stringify(report));

process.once('SIGTERM', () => {
  collector.closeAllConnections();
  collector.close();
  void services.stop().then(() => process.exit(0));
});
