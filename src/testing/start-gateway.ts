import { createGateway, type GatewayStart } from '../embedded-gateway.ts';
import { createLogger } from '../telemetry/logger.ts';

/** A gateway of a test. */
export interface StartedGateway {
  /** Where clients come to. */
  readonly url: string;
  /** Where operators come to. */
  readonly adminUrl: string;
  /** Drains it and closes its listeners. */
  stop(): Promise<void>;
}

/** Free ports of the loopback interface, and nothing that a test would wait for. */
const QUIET = {
  PORT: '0',
  HOST: '127.0.0.1',
  ADMIN_PORT: '0',
  NODE_ENV: 'test',
  DRAIN_DELAY: '0s',
} as const;

/**
 * Starts a whole gateway on free ports of the loopback interface, without a log.
 *
 * @param start as for `createGateway`; its environment holds over free ports, and that of the process is not looked at.
 * @throws {ConfigError} with everything that is wrong with the file and the modules.
 */
export async function startGateway(start: GatewayStart): Promise<StartedGateway> {
  const gateway = await createGateway({
    logger: createLogger('silent'),
    ...start,
    environment: { ...QUIET, ...start.environment },
  });
  await gateway.listen();
  return { url: gateway.url, adminUrl: gateway.adminUrl, stop: () => gateway.close() };
}
