import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { dial, head, keep, shoot, type Attack, type Battlefield } from '../attack.ts';

function attack(name: string, perSecond: number, text: (field: Battlefield, turn: number) => string): Attack {
  const strike = (field: Battlefield, turn: number): Promise<void> =>
    shoot(field, turn, { text: text(field, turn) });
  return { name, perSecond, atOnce: 30, strike };
}

const CLOSE = ['Connection: close'];

function forged(turn: number): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub: '1', roles: ['admin'], aud: 'api', exp: 4e9, iss: 'http://127.0.0.1' };
  return `${part({ alg: turn % 2 === 0 ? 'ES256' : 'none', kid: `k${turn}` })}.${part(claims)}.${part(turn)}`;
}

/** Requests that no honest client sends. */
export const requests: readonly Attack[] = [
  attack('forged tokens', 30, (_field, turn) =>
    head('GET /api/v2/users/1', [`Authorization: Bearer ${forged(turn)}`, ...CLOSE]),
  ),
  attack(
    'two lengths',
    10,
    () =>
      head('POST /uploads/two', ['Content-Length: 3', 'Transfer-Encoding: chunked']) +
      '0\r\n\r\nGET / HTTP/1.1\r\n\r\n',
  ),
  attack('noise', 10, () => `${randomBytes(300).toString('latin1')}\r\n\r\n`),
  attack('paths that two servers read differently', 10, (_field, turn) =>
    head(`GET /${['%2e%2e/', '..%2f', '//', '/.;/', '%00', '\\..\\'][turn % 6] ?? ''}api/v2/users/1`, CLOSE),
  ),
  {
    name: 'heads that come slowly',
    perSecond: 5,
    atOnce: 100,
    async strike(field, turn) {
      const socket = await dial(field, turn);
      socket.resume();
      const timer = setInterval(() => socket.write('X-Slow: 1\r\n'), 1000);
      socket.write('GET / HTTP/1.1\r\nHost: gateway.example\r\n');
      await keep(socket, 40_000);
      clearInterval(timer);
    },
  },
  {
    name: '256 requests on one connection at once',
    perSecond: 1,
    atOnce: 3,
    async strike(field, turn) {
      const socket = await dial(field, turn);
      socket.resume();
      socket.write(head('GET /hostile/never').repeat(256));
      await keep(socket, 10_000);
    },
  },
  {
    name: 'clients that do not read what they asked for',
    perSecond: 2,
    atOnce: 30,
    async strike(field, turn) {
      const socket = await dial(field, turn);
      socket.write(head('GET /hostile/endless'));
      await Promise.race([once(socket, 'readable'), once(socket, 'close')]);
      await keep(socket, 15_000);
    },
  },
  {
    name: 'clients that leave before the answer',
    perSecond: 20,
    atOnce: 50,
    async strike(field, turn) {
      const socket = await dial(field, turn);
      socket.write(head('GET /hostile/never'));
      await new Promise((resolve) => setTimeout(resolve, 50));
      socket.destroy();
    },
  },
];

/** Answers of services that misbehave, asked for by anybody. */
export const hostileAnswers: readonly Attack[] = [
  attack('chunks of one byte', 0.5, () => head('GET /masked/hostile/bytes', CLOSE)),
  attack('interim answers without end', 2, () => head('GET /hostile/interim', CLOSE)),
  attack('trailers without end', 2, () => head('GET /hostile/trailers', CLOSE)),
  attack('answers that come late', 20, () => head('GET /hostile/late', CLOSE)),
  attack('answers that are cut', 10, () => head('GET /hostile/cut', CLOSE)),
  attack('a list that grows when it is mapped', 0.5, () => head('GET /blown/ones', CLOSE)),
  attack('a list that nests deep', 1, () => head('GET /blown/deep', CLOSE)),
  attack('HTTP/2 frames without meaning', 2, () => head('GET /flooded', CLOSE)),
];
