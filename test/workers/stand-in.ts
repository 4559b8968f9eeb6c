/**
 * A worker that serves nobody, so that hundreds of them can be started and end: it does what the text says that it begins
 * with, or is to put into force.
 *
 * @module
 */
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Channel, type Peer } from '../../src/workers/channel.ts';
import { LineBuffer } from '../../src/telemetry/line-buffer.ts';
import { turnsOver } from '../../src/workers/turns.ts';
import type { News, Orders, Questions, Requests } from '../../src/workers/messages.ts';

const LINE_BYTES = 9000;
const LINES = 60;
let text = '';
let reloads = 0;

const channel: Channel<Requests, News, Questions, Orders> = new Channel<Requests, News, Questions, Orders>(
  process as Peer,
  {
    answers: {
      alive: () => undefined,
      overrides: () => [],
      metrics: () => [],
      admin: ({ url }) => {
        if (url === '/hang') for (;;);
        if (url === '/starve') starve();
        const body = Buffer.from(JSON.stringify({ text, reloads }));
        return { status: 200, headers: {}, body, reach: 'one' };
      },
      reload: async ({ round, trigger, text: next }): Promise<Questions['reload'][1]> => {
        reloads += 1;
        const end = (outcome: 'reloaded' | 'faulty', faults: readonly never[] | object[] = []) =>
          ({
            reload: { trigger, at: 0, outcome, faults, place: { generation: 0 } },
            files: [],
          }) as Questions['reload'][1];
        const [kind, gate = ''] = next.split(' ');
        while (kind === 'slow' && !existsSync(gate)) await sleep(10);
        if (next.includes('unfit') && trigger === 'catch up') return end('faulty');
        const against: readonly object[] = await channel.ask('agree', { round });
        if (against.length > 0) return end('faulty', [...against]);
        text = next;
        return end('reloaded');
      },
    },
    hears: {
      workforce: () => undefined,
      place: () => undefined,
      overrides: () => undefined,
      leave: () => process.exit(0),
      cutOff: () => process.exit(1),
    },
  },
);

function starve(): void {
  try {
    for (;;) openSync('/dev/null', 'r');
  } catch {
    // There is not one left.
  }
}

({ text } = await channel.ask('begin', undefined));
if (text === 'crash') process.exit(7);
if (text !== 'never') {
  const server = createServer((socket) => socket.end(String(process.pid)));
  const [kind, port] = text.split(' ');
  if (kind === 'listen') await once(server.listen(Number(port), '127.0.0.1'), 'listening');
  await channel.tell('listening', { urls: [], files: [] });
  await channel.tell('serving', undefined);
}
if (text === 'talk') {
  const lines = new LineBuffer({ fd: 1, turns: turnsOver(channel) });
  for (let line = 0; line < LINES; line += 1)
    lines.write(`${JSON.stringify({ pid: process.pid, line, text: 'x'.repeat(LINE_BYTES) })}\n`);
}
