import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KeptAnswer } from './kept-answer.ts';

const MOST = 64;

/** What is kept of an answer, and what the client has got of it. */
async function kept(answer: (response: ServerResponse) => void): Promise<[object, string]> {
  let told: (() => object) | undefined;
  const server = createServer((_, response) => {
    const answered = new KeptAnswer(response, MOST);
    told = () => answered.told();
    answer(response);
  });
  try {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const text = await fetch(`http://127.0.0.1:${port}/`).then(
      (response) => response.text(),
      () => 'cut',
    );
    return [told?.() ?? {}, text];
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('an answer that is kept', () => {
  it('is JSON without what may be secrets, whatever pieces it was written in', async () => {
    const [told, got] = await kept((response) => {
      response.write('{"name":"Änn","pass');
      response.end(Buffer.from('word":"swordfish"}'));
    });
    expect(told).toEqual({ answer: '{"name":"Änn","password":"(hidden)"}' });
    expect(got).toBe('{"name":"Änn","password":"swordfish"}');
  });

  it('is kept by its encoding', async () => {
    const [told] = await kept((response) => response.end(Buffer.from('{"a":"ü"}').toString('latin1'), 'latin1'));
    expect(told).toEqual({ answer: '{"a":"ü"}' });
  }); // prettier-ignore

  it.each([
    ['nothing', '', {}],
    ['one that is too large', 'x'.repeat(MOST + 1), { answerLeft: 'too large' }],
    ['one that is no JSON', 'x'.repeat(MOST), { answerLeft: 'no JSON' }],
  ])('of %s tells what there is to tell', async (_, body, expected) => {
    const [told] = await kept((response) => response.end(body));
    expect(told).toEqual(expected);
  });

  it('is cut where it has not ended', async () => {
    const [told] = await kept((response) => {
      response.write('{"a":1}');
      response.destroy();
    });
    expect(told).toEqual({ answerLeft: 'cut' });
  });
});
