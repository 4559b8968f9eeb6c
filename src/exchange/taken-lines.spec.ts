import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dropOperatorsCookies } from './operators-cookies.ts';
import { settleLines, takeCookies } from './taken-lines.ts';

/** A request as a real parser has read it: Node counts its lines itself. */
async function parsed(
  lines: readonly string[],
  look: (request: IncomingMessage) => unknown,
): Promise<unknown> {
  const server = createServer((asked, response) => {
    const seen = look(asked);
    response.end(JSON.stringify(seen));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const asked = request({ port, host: '127.0.0.1', headers: ['Host', 'x', ...lines] }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const text = (await answer.toArray()).join('');
  server.close();
  return JSON.parse(text);
}

const everywhere = ({ headers, rawHeaders, headersDistinct }: IncomingMessage): unknown => [
  headers.cookie ?? null,
  rawHeaders.filter((_, i) => rawHeaders[i - (i % 2)] === 'Cookie'),
  headersDistinct['cookie'] ?? null,
];

describe('cookies that are taken out of a request', () => {
  it.each([
    [['Cookie', 'mine=1'], null, [], null],
    [['Cookie', 'a=1; mine=2; b=3;mine'], 'a=1; b=3', ['Cookie', 'a=1; b=3'], ['a=1; b=3']],
    [['Cookie', 'mine=1', 'Cookie', 'a=1'], 'a=1', ['Cookie', 'a=1'], ['a=1']],
    [['Cookie', 'notmine=1'], 'notmine=1', ['Cookie', 'notmine=1'], ['notmine=1']],
  ])('are nowhere any more: %j', async (lines, joined, raw, distinct) => {
    const look = (asked: IncomingMessage): unknown => {
      takeCookies(asked, (name) => name === 'mine');
      return everywhere(asked);
    };
    expect(await parsed([...lines, 'X-Last', '1'], look)).toEqual([joined, raw, distinct]);
  });

  it('are given to who has taken them, as they came', async () => {
    const look = (asked: IncomingMessage): unknown => takeCookies(asked, (name) => name === 'mine');
    expect(await parsed(['Cookie', 'a=1; mine=2;mine'], look)).toEqual([' mine=2', 'mine']);
    expect(await parsed([], look)).toEqual([]);
  });

  it('leave the other fields as they are, line by line', async () => {
    const look = (asked: IncomingMessage): unknown => {
      dropOperatorsCookies(asked);
      return [asked.headersDistinct, asked.rawHeaders.length];
    };
    const lines = ['Cookie', '__Host-gatehouse-admin=x; gatehouse-admin=y', 'X-A', '1', 'X-A', '2'];
    expect(await parsed(lines, look)).toMatchObject([{ 'x-a': ['1', '2'], host: ['x'] }, 8]);
  });

  it('of lines that somebody takes out himself Node can still tell the others', async () => {
    const look = (asked: IncomingMessage): unknown => {
      settleLines(asked);
      asked.rawHeaders.splice(2, 2);
      return asked.headersDistinct['x-b'];
    };
    expect(await parsed(['X-A', '1', 'X-B', '2'], look)).toEqual(['2']);
  });
});
