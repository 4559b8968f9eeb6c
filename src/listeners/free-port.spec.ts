import { expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { freePort } from './free-port.ts';

/** Linux gives ports from here on, others from 49152. */
const LOWEST_OF_THE_SYSTEM = 32_768;

it('finds a port that can be listened on, and that the system gives to nobody by itself', async () => {
  for (let i = 0; i < 20; i += 1) {
    const port = await freePort();
    expect(port).toBeLessThan(LOWEST_OF_THE_SYSTEM);
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    await once(server.close(), 'close');
  }
});

it('says what is wrong with an address that is not of this machine', async () => {
  await expect(freePort('192.0.2.1')).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
});
