import { once } from 'node:events';
import { connect } from 'node:net';

const LIMIT_MS = 2000;
const DEFAULT_PORT = 6379;

/** Where Redis is, without what opens it; undefined for an address that is not a plain one. */
export function redisPlace(url: string): { readonly host: string; readonly port: number } | undefined {
  if (!/^rediss?:/.test(url) || !URL.canParse(url)) return undefined;
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  return host === '' ? undefined : { host, port: Number(port) || DEFAULT_PORT };
}

/**
 * Looks whether somebody listens there. A gateway waits for Redis, however long it takes; who tries the demo does not.
 *
 * @throws {Error} in one line that names the place when nobody does.
 */
export async function findRedis(url: string): Promise<void> {
  const place = redisPlace(url);
  // The gateway says what is wrong with it.
  if (place === undefined) return;
  const socket = connect(place);
  const timer = setTimeout(() => socket.destroy(new Error(`no answer in ${LIMIT_MS / 1000} s`)), LIMIT_MS);
  try {
    await once(socket, 'connect');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const at = `${place.host}:${place.port}`;
    throw new Error(`no Redis at ${at} (${code ?? message}); start one, or do without REDIS_URL`, {
      cause: error,
    });
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}
