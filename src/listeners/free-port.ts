import { once } from 'node:events';
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * From the first up to the one before the last: ports that no system gives to a connection or to a listener on port 0
 * (RFC 6335 §6 has those from 49152 on, Linux those from 32768 on), and that no browser refuses to call.
 */
const [FIRST, LAST] = [12_000, 32_000];

/** So many ports in a row that are all taken are no accident. */
const TRIES = 50;

/**
 * A port that nobody has, for a listener that is to know its port before it is started, or to come back to it. Unlike one
 * that was had from the system by listening on port 0, and let go, it is given to nobody else in between.
 *
 * @throws {Error} when the address can't be listened on, such as `EADDRNOTAVAIL`.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let tried = 1; ; tried += 1) {
    const port = randomInt(FIRST, LAST);
    const server = createServer();
    try {
      await once(server.listen(port, host), 'listening');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE' && tried < TRIES) continue;
      throw error;
    }
    await once(server.close(), 'close');
    return port;
  }
}
