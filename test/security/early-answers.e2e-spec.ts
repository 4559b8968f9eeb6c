import { describe, expect, it } from '@jest/globals';
import { LINGER_BYTES, LINGER_MS } from '../../src/pipeline/early-answer.ts';
import {
  BODY_DOORS,
  RawClient,
  statusIn,
  until,
  useBodyDoors,
  type BodyDoor,
} from '../support/body-doors.ts';

// How long a body may take is not what is tested: a busy machine does not end a flood before its answer.
const doors = useBodyDoors(15_000, 15_000);
const client = () => new RawClient(doors.shop.gateway.url);

const [PROXIED, , UPLOAD, , GRAPHQL] = BODY_DOORS as [BodyDoor, BodyDoor, BodyDoor, BodyDoor, BodyDoor];
const BLOCK = Buffer.from(`{"number":"1","note":"${'x'.repeat(8000)}"}\n`.repeat(8));
/** One chunk of the chunked coding. */
const CHUNK = Buffer.concat([Buffer.from(`${BLOCK.length.toString(16)}\r\n`), BLOCK, Buffer.from('\r\n')]);

/** A place where an answer precedes the end of a body. */
interface Early {
  readonly name: string;
  readonly door: Pick<BodyDoor, 'path' | 'fields'>;
  readonly method?: string;
  readonly as?: 'app';
  readonly status: number;
}

const EARLY: readonly Early[] = [
  ...BODY_DOORS.map((door) => ({ name: `401 at ${door.name}`, door, status: 401 })),
  { name: '404', door: { ...PROXIED, path: '/nowhere' }, status: 404 },
  { name: '413 while it is counted', door: { ...PROXIED, path: '/small' }, as: 'app', status: 413 },
  { name: '413 of a handler', door: { ...PROXIED, path: '/door' }, as: 'app', status: 413 },
  { name: '413 of GraphQL', door: GRAPHQL, as: 'app', status: 413 },
  { name: '415', door: { ...UPLOAD, fields: '' }, as: 'app', status: 415 },
  {
    name: 'a composed answer',
    door: { path: '/composed/1', fields: '' },
    method: 'GET',
    as: 'app',
    status: 200,
  },
  {
    name: 'a handler that reads none',
    door: { path: '/door', fields: '' },
    method: 'GET',
    as: 'app',
    status: 200,
  },
];

/** Sends without end, whatever is answered, until the gateway gives up. */
async function flooded({ name, door, as, method }: Early): Promise<object> {
  const one = new RawClient(doors.shop.gateway.url, true);
  one.post(door, { as, method, length: 'chunked' });
  const flood = setInterval(() => {
    for (let i = 0; i < 16 && one.socket.writable && !one.socket.writableNeedDrain; i += 1)
      one.socket.write(CHUNK);
  }, 1);
  const served = await doors.acceptedFrom(one);
  await one.answer();
  const readThen = served.bytesRead;
  await until(() => served.destroyed);
  clearInterval(flood);
  one.socket.destroy();
  // What one more read of the socket may bring on top of the bound.
  const swallowed = served.bytesRead - readThen <= LINGER_BYTES + 128 * 1024 ? 'little' : served.bytesRead;
  return { name, status: statusIn(one.heard), isLast: /^connection: close/im.test(one.heard), swallowed };
}

const expected = ({ name, status }: Early) => ({ name, status, isLast: true, swallowed: 'little' });

describe('an answer before the end of a body', () => {
  it('is heard, says that the connection ends, and swallows no flood, at any door', async () => {
    expect(await Promise.all(EARLY.map(flooded))).toEqual(EARLY.map(expected));
  });

  it('so does one of an upstream that does not wait', async () => {
    doors.shop.echo.listener = (_request, response) =>
      response.writeHead(200, { 'content-length': 2 }).end('ok');
    const early: Early = { name: 'proxied', door: PROXIED, as: 'app', status: 200 };
    expect(await flooded(early)).toEqual(expected(early));
  });

  it('so does one of a service that has heard enough', async () => {
    doors.kinds.answersEarly = true;
    const early: Early = { name: 'translated', door: UPLOAD, as: 'app', status: 200 };
    expect(await flooded(early)).toEqual(expected(early));
  });

  it('so does one of a service that refuses', async () => {
    doors.kinds.refusal = { code: 7, details: 'no' };
    const early: Early = { name: 'translated', door: UPLOAD, as: 'app', status: 403 };
    expect(await flooded(early)).toEqual(expected(early));
  });

  it('ends the connection of a client that stays and sends nothing more', async () => {
    const one = client().post(PROXIED, {});
    const served = await doors.acceptedFrom(one);
    await until(() => served.destroyed);
    expect(statusIn(one.heard)).toBe(401);
  });
});

describe('a small body that is there already', () => {
  it.each([401, 403, 404])('keeps the connection after %d', async (status) => {
    const path = { 401: '/proxied', 403: '/guarded', 404: '/nowhere' }[status] as string;
    const one = client();
    for (let i = 1; i <= 2; i += 1) {
      one.post({ path, fields: '' }, { as: status === 401 ? undefined : 'app', length: 5, body: 'small' });
      await one.until((heard) => heard.split(`HTTP/1.1 ${status}`).length > i && heard.endsWith('}'));
    }
    expect(one.heard).not.toMatch(/^connection: close/im);
    expect((await doors.acceptedFrom(one)).destroyed).toBe(false);
    one.socket.destroy();
  });

  it('keeps the connection when a handler never looked at it', async () => {
    const one = client();
    for (let i = 1; i <= 2; i += 1) {
      one.post({ path: '/composed/1', fields: '' }, { method: 'GET', as: 'app', length: 5, body: 'small' });
      await one.until((heard) => heard.split('HTTP/1.1 200').length > i && heard.endsWith('}'));
    }
    expect(one.heard).not.toMatch(/^connection: close/im);
    one.socket.destroy();
  });
});

describe('the time for a client to take an early answer', () => {
  it('is a second, after 64 KiB', () => {
    expect([LINGER_MS, LINGER_BYTES]).toEqual([1000, 65_536]);
  });
});
