import { beforeEach, describe, expect, it } from '@jest/globals';
import { EventStream } from './event-stream.ts';

let sent: string;
let ended: number;
let stream: EventStream;

beforeEach(() => {
  [sent, ended] = ['', 0];
  stream = new EventStream({
    send: (bytes) => {
      sent += bytes.toString('latin1');
      return true;
    },
    end: () => void (ended += 1),
  });
});

const take = (...pieces: readonly string[]): void => {
  for (const piece of pieces) if (ended === 0) stream.take(Buffer.from(piece, 'latin1'));
};

describe('a stream of events that is to end', () => {
  it('ends at once while nothing has come', () => {
    stream.leave();
    stream.leave();
    expect(ended).toBe(1);
  });

  it.each(['data: 1\n\n', 'data: 1\r\n\r\n', 'data: 1\r\r', 'data: 1\n\r\n', 'data: 1\r\n\n', ': \n\n'])(
    'ends at once after a whole event: %j, however it came',
    (event) => {
      take(...event);
      stream.leave();
      expect([ended, sent]).toEqual([1, event]);
    },
  );

  it.each(['data: 1', 'data: 1\n', 'data: 1\r\n', 'id: 1\ndata', '\n\ndata', 'data: 1\n\ndata: 2\r\n'])(
    'does not end within an event: %j',
    (part) => {
      take(...part);
      stream.leave();
      expect(ended).toBe(0);
    },
  );

  it.each(['\n', '\r\n', '\r'])(
    'ends with the last whole event, wherever it is told and cut (%j)',
    (line) => {
      const events = ['id: 1', 'data: a', '', 'id: 2', 'data: b', '', ''].join(line);
      for (let told = 1; told < events.length; told += 1)
        for (let cut = told; cut <= events.length; cut += 1) {
          [sent, ended] = ['', 0];
          stream = new EventStream({
            send: (bytes) => {
              sent += bytes.toString('latin1');
              return true;
            },
            end: () => void (ended += 1),
          });
          take(events.slice(0, told));
          stream.leave();
          if (ended === 0) take(events.slice(told, cut), `${events.slice(cut)}id: 3`);
          expect(ended).toBe(1);
          expect(sent).toMatch(/^(?:id: \d(?:\r\n|\r|\n)data: \w(?:\r\n|\r|\n){2})+$/);
          expect(sent).not.toContain('3');
        }
    },
  );
});
