import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { bearer, operatorToken, useOperators, type Operators } from '../support/operators.ts';

const CONFIG = 'version: 1\nroutes: []\n';
const SHARE = 16;

let gateway: TestGateway;
let operators: Operators | undefined;
const opened: IncomingMessage[] = [];

afterEach(async () => {
  for (const one of opened.splice(0)) one.destroy();
  await gateway.stop();
  operators?.remove();
  operators = undefined;
});

/** Opens a stream, which stays open if it was let in. */
async function listen(headers: object = {}): Promise<IncomingMessage> {
  const asked = request(`${gateway.adminUrl}/stream?view=process`, { headers: { ...headers } });
  asked.on('error', () => undefined).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.on('error', () => undefined);
  if (answer.statusCode === 200) opened.push(answer.resume());
  return answer;
}

const many = (count: number, headers?: object): Promise<IncomingMessage[]> =>
  Promise.all(Array.from({ length: count }, () => listen(headers)));

async function told(answer: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  const { error } = JSON.parse(text) as { error: string };
  return [answer.statusCode, answer.headers['retry-after'], error];
}

describe('streams of the operators’ listener', () => {
  it('are 16 of one operator at most, by token and by session, and 64 of all', async () => {
    const more = ['a', 'b', 'c'].map((name) => ({ name, ...operatorToken(name, 'read') }));
    operators = useOperators(more.map(({ line }) => line).join(''));
    gateway = await startGateway({ config: CONFIG, environment: operators.environment });
    const read = bearer(operators.tokens.read);
    const session = await fetch(`${gateway.adminUrl}/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: operators.tokens.read }),
    });
    const cookie = session.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
    const all = [...(await many(SHARE / 2, read)), ...(await many(SHARE / 2, { cookie }))];
    expect(all.map(({ statusCode }) => statusCode)).toEqual(Array(SHARE).fill(200));
    for (const headers of [read, { cookie }])
      expect(await told(await listen(headers))).toEqual([
        429,
        '10',
        expect.stringMatching(/you have 16 streams already/),
      ]);
    // Others find a place, until all are taken.
    for (const { token } of more) expect((await many(SHARE, bearer(token))).at(-1)?.statusCode).toBe(200);
    const none = await listen(bearer(operators.tokens.operate));
    expect(await told(none)).toEqual([503, '10', expect.stringMatching(/all 64 streams are taken/)]);
  });

  it('are 16 of one address where nobody is asked for a token, and come free when they end', async () => {
    gateway = await startGateway({ config: CONFIG });
    const all = await many(SHARE + 4);
    expect(all.map(({ statusCode }) => statusCode).toSorted()).toEqual([
      ...Array(SHARE).fill(200),
      ...Array(4).fill(429),
    ]);
    for (const one of opened.splice(0, 3)) one.destroy();
    let answer = await listen();
    for (let waited = 0; answer.statusCode !== 200 && waited < 10_000; waited += 20) {
      answer.resume();
      await sleep(20);
      answer = await listen();
    }
    expect(answer.statusCode).toBe(200);
  });
});
