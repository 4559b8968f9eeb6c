import { describe, expect, it } from '@jest/globals';
import {
  BODY_DOORS,
  lineOf,
  RawClient,
  statusIn,
  useBodyDoors,
  type BodyDoor,
} from '../support/body-doors.ts';

const doors = useBodyDoors();
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const [PROXIED] = BODY_DOORS as [BodyDoor];

/** A client that waits for leave before it sends anything of its body. */
function waiting(door: Pick<BodyDoor, 'path' | 'fields'>, as: 'app' | undefined, length = 1000): RawClient {
  const fields = `${door.fields}Expect: 100-continue\r\n`;
  return new RawClient(doors.shop.gateway.url).post({ path: door.path, fields }, { as, length });
}

/** What a client hears once its connection has ended. */
async function heardBy(one: RawClient): Promise<string> {
  await one.closed;
  return one.heard;
}

describe('a client that waits for leave to send its body', () => {
  it.each(BODY_DOORS)('is not asked for it without credentials: $name', async (door) => {
    const heard = await heardBy(waiting(door, undefined));
    expect(statusIn(heard)).toBe(401);
    expect(heard).not.toContain(CONTINUE);
    expect(heard).toMatch(/^connection: close/im);
    expect(await lineOf(doors, heard)).toMatchObject({ status: 401 });
  });

  it.each([
    ['may not call', '/guarded', 10, 403],
    ['declares too much', '/small', 5000, 413],
    ['declares more than a handler takes', '/door', 2 ** 20 + 1, 413],
    ['asks for nothing that there is', '/nowhere', 10, 404],
  ])('is not asked for it when it %s', async (_why, path, length, status) => {
    const heard = await heardBy(waiting({ ...PROXIED, path }, 'app', length));
    expect(statusIn(heard)).toBe(status);
    expect(heard).not.toContain(CONTINUE);
  });

  it('is not asked for it in a coding that nobody undoes', async () => {
    const heard = await heardBy(
      waiting(
        { path: '/test/echo', fields: 'Content-Encoding: none\r\nContent-Type: application/json\r\n' },
        'app',
      ),
    );
    expect(statusIn(heard)).toBe(415);
    expect(heard).not.toContain(CONTINUE);
  });

  it('is not asked for it when nobody would read it', async () => {
    const fields = 'Expect: 100-continue\r\n';
    const one = new RawClient(doors.shop.gateway.url);
    one.post({ path: '/composed/1', fields }, { as: 'app', method: 'GET', length: 1000 });
    const heard = await heardBy(one);
    expect(statusIn(heard)).toBe(200);
  });

  it('is not asked for it while an earlier request is answered', async () => {
    const answer = Promise.withResolvers<() => void>();
    doors.shop.echo.listener = (_request, response) => answer.resolve(() => response.end('first'));
    const one = new RawClient(doors.shop.gateway.url);
    one.post({ path: '/proxied', fields: '' }, { as: 'app', method: 'GET', length: 0 });
    one.post(
      { path: '/door', fields: `${PROXIED.fields}Expect: 100-continue\r\n` },
      { as: 'app', length: 7 },
    );
    const finish = await answer.promise;
    expect(one.heard).toBe('');
    finish();
    await one.until((heard) => heard.endsWith(CONTINUE));
    expect(statusIn(one.heard)).toBe(200);
    one.socket.write('{"a":1}');
    expect(await one.until((heard) => heard.endsWith('{"body":{"a":1}}'))).toContain('first');
    one.socket.destroy();
  });
});

describe('a client that is let in', () => {
  it.each(BODY_DOORS)('is asked for its body, once: $name', async (door) => {
    const one = waiting(door, 'app', Buffer.byteLength(door.body));
    expect(await one.answer()).toBe(CONTINUE);
    one.socket.write(door.body);
    const heard = await one.until((text) => text.slice(CONTINUE.length).includes('\r\n\r\n'));
    expect([200, 201]).toContain(statusIn(heard.slice(CONTINUE.length)));
    one.socket.destroy();
  });

  it.each(BODY_DOORS)('is not asked for what it has sent: $name', async (door) => {
    const fields = `${door.fields}Expect: 100-continue\r\n`;
    const { body } = door;
    const one = new RawClient(doors.shop.gateway.url);
    one.post({ path: door.path, fields }, { as: 'app', length: Buffer.byteLength(body), body });
    expect([200, 201]).toContain(statusIn(await one.answer()));
    one.socket.destroy();
  });

  it('keeps its connection', async () => {
    const one = waiting(PROXIED, 'app', 2);
    for (let i = 1; i <= 2; i += 1) {
      await one.until((heard) => heard.split(CONTINUE).length > i);
      one.socket.write('{}');
      await one.until((heard) => heard.split('HTTP/1.1 200').length > i && heard.endsWith('}'));
      const fields = `${PROXIED.fields}Expect: 100-continue\r\n`;
      if (i === 1) one.post({ path: '/proxied', fields }, { as: 'app', length: 2 });
    }
    expect(one.socket.destroyed).toBe(false);
    one.socket.destroy();
  });

  it('is cut off when it then sends nothing', async () => {
    const heard = await heardBy(waiting(PROXIED, 'app'));
    expect(heard.startsWith(CONTINUE)).toBe(true);
    expect(statusIn(heard.slice(CONTINUE.length))).toBe(408);
  });

  it('is refused when its target cannot be reached', async () => {
    await new Promise((resolve) => doors.shop.echo.server.close(resolve).closeAllConnections());
    const one = waiting(PROXIED, 'app', Buffer.byteLength(PROXIED.body));
    // No connection to a target is taken before the body is there.
    expect(await one.answer()).toBe(CONTINUE);
    one.socket.write(PROXIED.body);
    const heard = await one.until((text) => text.slice(CONTINUE.length).includes('\r\n\r\n'));
    expect(statusIn(heard.slice(CONTINUE.length))).toBe(502);
    one.socket.destroy();
  });
});
