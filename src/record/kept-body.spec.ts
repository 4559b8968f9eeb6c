import { describe, expect, it } from '@jest/globals';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { KeptBody } from './kept-body.ts';

const MOST = 64;

/** A request whose body comes in pieces; the last one is the end unless it is cut. */
function taken(pieces: readonly string[], isCut = false): KeptBody {
  const request = new IncomingMessage(new Socket());
  const body = new KeptBody(request, MOST);
  for (const piece of pieces) request.push(Buffer.from(piece));
  if (!isCut) request.push(null);
  return body;
}

describe('a body that is kept', () => {
  it('is JSON without what may be secrets, whatever pieces it came in', () => {
    expect(taken(['{"name":"Ann","pass', 'word":"swordfish"}']).told()).toEqual({
      body: '{"name":"Ann","password":"(hidden)"}',
    });
  });

  it.each([
    ['nothing', [], {}],
    ['one that is too large', ['x'.repeat(MOST), 'x'], { bodyLeft: 'too large' }],
    ['one that is as large as may be, and no JSON', ['x'.repeat(MOST)], { bodyLeft: 'no JSON' }],
    ['a half of JSON', ['{"a":'], { bodyLeft: 'no JSON' }],
  ])('of %s tells what there is to tell', (_, pieces, told) => {
    expect(taken(pieces).told()).toEqual(told);
  });

  it('is cut where the request has not ended', () => {
    expect(taken(['{}'], true).told()).toEqual({ bodyLeft: 'cut' });
  });

  it('reaches whoever reads it', async () => {
    const request = new IncomingMessage(new Socket());
    const body = new KeptBody(request, MOST);
    request.push(Buffer.from('{"a":1}'));
    request.push(null);
    let read = '';
    for await (const chunk of request) read += String(chunk);
    expect([read, body.told()]).toEqual(['{"a":1}', { body: '{"a":1}' }]);
  });
});
