import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { freePort } from '../src/listeners/free-port.ts';
import { readEnvironment } from '../src/config/env.schema.ts';

/** Where the gateway of the demo listens. */
export interface GatewayPorts {
  readonly port: number;
  readonly adminPort: number;
}

/** Whether all ports that nobody named are to be any free ones: `PORTS=free`. */
export function takesFreePorts(env: NodeJS.ProcessEnv): boolean {
  return env['PORTS'] === 'free';
}

/**
 * Finds the ports of the gateway before it is started, so that the demo can print them and never takes another
 * process on its port for its own. `PORT` and `ADMIN_PORT` name them, 0 for any free one.
 *
 * @throws {ConfigError} with the faults of the environment.
 * @throws {Error} in one line that names the port and its variable when it is taken.
 */
export async function findGatewayPorts(env: NodeJS.ProcessEnv): Promise<GatewayPorts> {
  const free = takesFreePorts(env) ? '0' : undefined;
  const { host, port, adminHost, adminPort } = readEnvironment({
    ...env,
    PORT: env['PORT'] || free,
    ADMIN_PORT: env['ADMIN_PORT'] || free,
  });
  const clients = await hold('PORT', host, port);
  try {
    // Both at once, so that two free ports are never the same one.
    const operators = await hold('ADMIN_PORT', adminHost, adminPort);
    const ports = { port: portOf(clients), adminPort: portOf(operators) };
    await release(operators);
    return ports;
  } finally {
    await release(clients);
  }
}

async function hold(variable: string, host: string, port: number): Promise<Server> {
  const server = createServer();
  try {
    server.listen(port === 0 ? await freePort(host) : port, host);
    await once(server, 'listening');
    return server;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'EADDRINUSE' ? `port ${port} on ${host} is already in use` : message;
    throw new Error(
      `${reason}; set ${variable} to another one, or to 0 for any free one; PORTS=free takes free ones for all`,
      { cause: error },
    );
  }
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

async function release(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}
