import { afterEach, describe, expect, it } from '@jest/globals';
import type { AskedUpgrade } from './parsed-answer.ts';
import type { CarriedCall } from './carried-call.ts';
import { MalformedAnswer } from './http1-faults.ts';
import type { Http1Pool, Http1PoolOptions } from './http1-pool.ts';
import { answer, ask, poolFor, RawService, until, type Heard } from './raw-service.fixture.ts';
import type { UpgradedSocket } from './upgraded-socket.ts';

const SWITCH = 'HTTP/1.1 101 Switching\r\nUpgrade: Echo\r\nConnection: upgrade\r\n\r\n';

let service: RawService;
let pool: Http1Pool;

async function open(
  onRequest: (heard: Heard) => void,
  options: Partial<Http1PoolOptions> = {},
): Promise<void> {
  service = await RawService.start(onRequest);
  pool = poolFor(service.port, options);
}
afterEach(async () => {
  pool.close();
  await service.close();
});

/** What came of asking for an upgrade. */
interface Outcome {
  socket?: UpgradedSocket;
  status?: number;
  error?: Error & { code?: string };
  /** What came over the socket. */
  heard: string;
  isEnded: boolean;
  isClosed: boolean;
}

function askToSwitch(
  patience = { firstByteMs: 2000, idleMs: 2000 },
  check: AskedUpgrade['check'] = () => {},
): Promise<Outcome> {
  return new Promise((resolve) => {
    const outcome: Outcome = { heard: '', isEnded: false, isClosed: false };
    const upgrade = { protocol: 'echo', isOnlySuccess: false, check };
    const head = pool.headOf({ method: 'GET', path: '/', fields: [], body: null, upgrade: 'echo' });
    const call: CarriedCall = {
      message: { head, body: null, isIdempotent: true },
      patience,
      upgrade,
      carrier: undefined,
      wasSent: false,
      isUnwanted: false,
      head: ({ status }) => void (outcome.status = status),
      piece: (_, isLast) => isLast && resolve(outcome),
      progress: () => {},
      switched: (socket) => {
        outcome.socket = socket;
        socket.use({
          take: (bytes) => (outcome.heard += bytes.toString('latin1')),
          ended: () => (outcome.isEnded = true),
          closed: () => (outcome.isClosed = true),
        });
        resolve(outcome);
      },
      broke: (error) => resolve(Object.assign(outcome, { error })),
    };
    pool.carry(call);
  });
}

describe('an upgrade that was asked for', () => {
  it('is said in the head, and makes the connection a socket of bytes both ways', async () => {
    await open(({ socket }) => {
      socket.removeAllListeners('data');
      socket.on('data', (bytes) => socket.write(bytes));
      socket.write(`${SWITCH}first`);
    });
    const outcome = await askToSwitch();
    expect(service.requests[0]).toBe(
      `GET / HTTP/1.1\r\nhost: 127.0.0.1:${service.port}\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n`,
    );
    await until(() => outcome.heard === 'first');
    outcome.socket?.socket.write('HTTP/1.1 200 OK\r\n\r\n');
    await until(() => outcome.heard === 'firstHTTP/1.1 200 OK\r\n\r\n');
    service.sockets[0]?.end();
    await until(() => outcome.isClosed);
    expect(outcome.isEnded).toBe(true);
  });

  it('takes the connection out of the pool, and makes room for who waits', async () => {
    await open(({ text, socket }) => void socket.write(text.includes('upgrade') ? SWITCH : answer('ok')), {
      maxConnections: 1,
    });
    const [first, second] = await Promise.all([askToSwitch(), ask(pool)]);
    expect(second.body).toBe('ok');
    expect((await ask(pool)).body).toBe('ok');
    expect(service.open).toBe(2);
    // It is not the pool's any more.
    pool.close();
    await until(() => service.open === 1);
    expect(first.isClosed).toBe(false);
    first.socket?.socket.destroy();
  });

  it('is not waited for longer than the first byte may take, and not limited any more after it', async () => {
    let answers = false;
    await open(({ socket }) => void (answers && socket.write(SWITCH)));
    const before = performance.now();
    expect((await askToSwitch({ firstByteMs: 60, idleMs: 60 })).error?.code).toBe('SILENT_SERVICE');
    expect(performance.now() - before).toBeGreaterThanOrEqual(59);
    answers = true;
    const outcome = await askToSwitch({ firstByteMs: 60, idleMs: 60 });
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(outcome.isClosed).toBe(false);
    outcome.socket?.socket.destroy();
  });

  it('may be refused by an answer like any other, whose connection ends after it', async () => {
    await open(({ socket }) => void socket.write(answer('no').replace('200 OK', '403 No')));
    expect(await askToSwitch()).toMatchObject({ status: 403 });
    await until(() => service.open === 0);
  });

  it('may come after interim answers, and byte by byte', async () => {
    await open(({ socket }) => {
      void (async () => {
        for (const one of `HTTP/1.1 103 Hints\r\n\r\n${SWITCH}ab`) {
          socket.write(one);
          await new Promise((resolve) => setImmediate(resolve));
        }
      })();
    });
    const outcome = await askToSwitch();
    await until(() => outcome.heard === 'ab');
    outcome.socket?.socket.destroy();
  });
});

describe('101', () => {
  it.each([
    ['of another protocol', SWITCH.replace('Echo', 'other')],
    ['of two protocols', SWITCH.replace('Echo', 'Echo, other')],
    ['of two lines', SWITCH.replace('Upgrade: Echo', 'Upgrade: echo\r\nUpgrade: other')],
    ['without Upgrade', SWITCH.replace('Upgrade: Echo\r\n', '')],
    ['without Connection', SWITCH.replace('Connection: upgrade\r\n', '')],
    [
      'whose Connection lists something else',
      SWITCH.replace('Connection: upgrade', 'Connection: upgraded, keep-alive'),
    ],
    ['of HTTP/1.0', SWITCH.replace('1.1', '1.0')],
    ['with a length', SWITCH.replace('\r\n\r\n', '\r\nContent-Length: 0\r\n\r\n')],
    ['with a coding', SWITCH.replace('\r\n\r\n', '\r\nTransfer-Encoding: chunked\r\n\r\n')],
  ])('%s is no answer to who asked for one', async (_, text) => {
    await open(({ socket }) => void socket.write(text));
    expect((await askToSwitch()).error).toBeInstanceOf(MalformedAnswer);
    await until(() => service.open === 0);
  });

  it('that who asked for it does not take is no answer either', async () => {
    await open(({ socket }) => void socket.write(SWITCH));
    const check = (): void => {
      throw new MalformedAnswer('its key is wrong');
    };
    expect((await askToSwitch(undefined, check)).error?.message).toContain('its key is wrong');
  });

  it('is no answer to who did not ask for it', async () => {
    await open(({ socket }) => void socket.write(SWITCH));
    expect((await ask(pool)).error).toBeInstanceOf(MalformedAnswer);
  });
});
