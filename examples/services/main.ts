/**
 * Runs all sample services in the foreground: `node examples/services/main.ts`.
 * HOST sets the address to bind (`0.0.0.0` in containers), ISSUER the `iss` of tokens, and PORTS=free takes
 * free ports instead of the usual ones. Prints one line for each service: its name and its address.
 *
 * @module
 */
import { FREE_PORTS, NOTIFY_EVERY_MS, startSampleServices, type SampleServices } from './start.ts';

const { HOST, ISSUER, PORTS } = process.env;

try {
  const services = await startSampleServices({
    ...(HOST === undefined ? {} : { host: HOST }),
    ...(ISSUER === undefined ? {} : { issuer: ISSUER }),
    ...(PORTS === 'free' ? { ports: FREE_PORTS } : {}),
    notifyEveryMs: NOTIFY_EVERY_MS,
  });
  process.once('SIGINT', () => void end(services));
  process.once('SIGTERM', () => void end(services));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

async function end(services: SampleServices): Promise<void> {
  await services.stop();
  process.exit(0);
}
