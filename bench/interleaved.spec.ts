import { afterEach, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { orderOf, Pacer, takeTurns } from './interleaved.ts';

describe('configurations that take turns', () => {
  const closing: (() => unknown)[] = [];

  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });

  function pacer(): { pacer: Pacer; child: ChildProcess } {
    const script = join(import.meta.dirname, 'paced-load-process.ts');
    const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
    const made = new Pacer(child);
    closing.push(() => made.close());
    return { pacer: made, child };
  }

  async function origin(status = 200): Promise<string> {
    const server = createServer((_request, response) => {
      response.statusCode = status;
      response.end('{}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('go forwards and backwards, each block from another one on', () => {
    expect(orderOf(['a', 'b', 'c'], 0).join('')).toBe('abccba');
    expect(orderOf(['a', 'b', 'c'], 1).join('')).toBe('bcaacb');
    expect(orderOf(['a', 'b', 'c'], 3).join('')).toBe('abccba');
  });

  it('have as many rounds each, whose cost is that of their processes', async () => {
    const load = { origin: await origin(), path: '/', perSecond: 300, connections: 2 };
    const turns = ['one', 'other'].map((title) => ({ title, pids: [process.pid], load }));
    const rounds = await takeTurns(turns, { pacer: pacer().pacer, seconds: 0.1, rounds: 4 });
    for (const turn of turns) {
      expect(rounds.get(turn)).toHaveLength(4);
      for (const { requests, cost } of rounds.get(turn) ?? []) {
        expect(requests).toBe(30);
        expect(cost).toBeGreaterThan(0);
      }
    }
  });

  it('end where a request fails, or the load', async () => {
    const load = { path: '/', perSecond: 100, connections: 1, seconds: 0.1 };
    const { pacer: one, child } = pacer();
    await expect(one.run({ ...load, origin: await origin(500) })).rejects.toThrow('10 of 10 requests failed');
    child.kill();
    await once(child, 'exit');
    await expect(one.run({ ...load, origin: await origin() })).rejects.toThrow('has ended');
  });
});
