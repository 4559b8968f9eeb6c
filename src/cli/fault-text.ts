import { ConfigError, formatFaults } from '../config/config-fault.ts';
import { UsageError } from './options.ts';

const NO_SUCH_HOST: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN']);

/** What is said to people of something thrown. @param color whether with colors. */
export function faultText(error: unknown, color: boolean): string {
  if (error instanceof ConfigError) return formatFaults(error.faults, { color });
  if (error instanceof UsageError) return `gatehouse: ${error.message}`;
  const { code, port, address, hostname, message, stack } = error as NodeJS.ErrnoException & {
    port?: number;
    address?: string;
    hostname?: string;
  };
  if (code === 'EADDRINUSE') {
    return `gatehouse: port ${port} on ${address} is taken; set PORT or ADMIN_PORT to another one`;
  }
  if (code === 'EACCES' && port !== undefined) return `gatehouse: no permission to listen on port ${port}`;
  const host = hostname ?? address;
  if (code !== undefined && NO_SUCH_HOST.has(code) && host !== undefined)
    return `gatehouse: this machine has no address ${host} to listen on; set HOST or ADMIN_HOST to another one`;
  return `gatehouse: ${process.env['LOG_LEVEL'] === 'debug' ? stack : message}`;
}
