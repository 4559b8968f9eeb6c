import { describe, expect, it } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { EventStream } from './event-stream.ts';

const stream = (): readonly [PassThrough, EventStream] => {
  const incoming = new PassThrough();
  return [incoming, new EventStream(incoming as unknown as IncomingMessage, (work) => work)];
};

describe(EventStream, () => {
  it.each(['\n', '\r\n', '\r'])('reads events in any pieces, lines ended by %j', async (end) => {
    const [incoming, events] = stream();
    const text = ['event: a', 'data:one', 'data: two', 'id: 7', '', ': nothing', '', 'data', '', 'x', ''].join(end);
    for (const piece of Buffer.from(text + end)) incoming.write(Buffer.from([piece]));
    incoming.end();
    expect(await events.rest()).toMatchObject([
      { event: 'a', data: 'one\ntwo', id: '7' },
      { event: 'message', data: '', id: '7' },
    ]);
  }); // prettier-ignore

  it('ends where the connection does, without half an event', async () => {
    const [incoming, events] = stream();
    incoming.write('data: 1\n\ndata: 2\n');
    expect((await events.next())?.json()).toBe(1);
    incoming.destroy(new Error('reset'));
    expect(await events.next()).toBeUndefined();
  });

  it('says what is no JSON', async () => {
    const [incoming, events] = stream();
    incoming.write('data: one\n\n');
    const event = await events.next();
    expect(() => event?.json()).toThrow('the data of the event is no JSON: one');
    events.close();
  });
});
