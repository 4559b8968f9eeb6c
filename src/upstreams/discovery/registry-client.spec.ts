import { afterEach, expect, it, jest } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { startUpstream } from '../../../test/support/upstream.ts';
import { jsonOf, RegistryClient } from './registry-client.ts';

afterEach(() => void jest.useRealTimers());

it('waits 10 s for a piece of a body and a minute for all of it', async () => {
  let response: ServerResponse | undefined;
  const registry = await startUpstream((_, one) => {
    response = one;
    one.write('[');
  });
  const client = new RegistryClient();
  const signal = new AbortController().signal;
  const asked = { url: new URL(registry.url), headers: {}, headMs: 5000, signal };
  const real = [
    'nextTick',
    'setImmediate',
    'clearImmediate',
    'setInterval',
    'clearInterval',
    'queueMicrotask',
    'performance',
    'Date',
    'hrtime',
  ] as const;
  jest.useFakeTimers({ doNotFake: [...real] });
  for (const [pieces, says] of [
    [0, /stands still/],
    [6, /takes too long/],
  ] as const) {
    const answer = await client.ask(asked);
    const read = expect(jsonOf(answer)).rejects.toThrow(says);
    // What came with the head is a piece as well.
    for (let i = 0; i < 5; i += 1) await turn();
    for (let piece = 0; piece < pieces; piece += 1) {
      jest.advanceTimersByTime(9000);
      const before = answer.socket.bytesRead;
      response?.write(' ');
      while (answer.socket.bytesRead === before) await turn();
      await turn();
    }
    jest.advanceTimersByTime(pieces === 0 ? 9999 : 5999);
    await turn();
    expect(answer.destroyed).toBe(false);
    jest.advanceTimersByTime(1);
    await read;
  }
  client.close();
  await registry.stop();
});
