import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { discoverySchema } from '../discovery.schema.ts';
import { DnsSource } from './dns-source.ts';
import { a, cname, NameServer, soa, srv, type Behaviour } from './name-server.fixture.ts';

let server: NameServer;
let second: NameServer;

beforeEach(async () => {
  server = await new NameServer().start();
  second = await new NameServer().start();
});
afterEach(() => {
  server.stop();
  second.stop();
});

function sourceOf(options: object = {}): DnsSource {
  const { dns } = discoverySchema.parse({
    dns: { name: 'users.test', timeout: '100ms', servers: [server.place], ...options },
  });
  return new DnsSource({ ...(dns as NonNullable<typeof dns>), scheme: 'http', random: () => 0.5 });
}
const ask = (source: DnsSource) => source.next({ signal: new AbortController().signal, withinMs: Infinity });
const A = { port: 80 };
const SRV = { type: 'SRV', name: '_http._tcp.users.test' };
const fixed = (reply: ReturnType<Behaviour>) => (): ReturnType<Behaviour> => reply;
const urls = async (source: DnsSource) => (await ask(source)).targets.map(({ url }) => url);

describe('DnsSource, by addresses', () => {
  it('takes all addresses, and the least time to live', async () => {
    server.behaviour = fixed({ answers: [a('users.test', '10.0.0.1', 30), a('USERS.test', '10.0.0.2', 20)] });
    const known = await ask(sourceOf(A));
    expect(known.targets).toMatchObject([
      { url: 'http://10.0.0.1:80', serverName: 'users.test', weight: 1 },
      { url: 'http://10.0.0.2:80' },
    ]);
    expect(known.waitMs).toBeCloseTo(20_000);
  });

  it.each([
    [0, 5000],
    [86_400, 60_000],
  ])('looks again after %i s of life as if they were within bounds', async (ttl, waitMs) => {
    server.behaviour = fixed({ answers: [a('users.test', '10.0.0.1', ttl)] });
    expect((await ask(sourceOf(A))).waitMs).toBeCloseTo(waitMs);
  });

  it('asks for both families', async () => {
    server.behaviour = ({ type }) => ({ answers: [a('users.test', type === 'A' ? '10.0.0.1' : 'fd00::1')] });
    expect(await urls(sourceOf({ ...A, type: 'A+AAAA' }))).toEqual([
      'http://10.0.0.1:80',
      'http://[fd00::1]:80',
    ]);
  });

  it('keeps what it knew of one family while that cannot be told', async () => {
    let isIll = false;
    server.behaviour = ({ type }) =>
      isIll && type === 'A'
        ? { rcode: 'SERVFAIL' }
        : { answers: [a('users.test', type === 'A' ? '10.0.0.1' : 'fd00::1')] };
    const source = sourceOf({ ...A, type: 'A+AAAA' });
    await ask(source);
    isIll = true;
    expect(await urls(source)).toEqual(['http://10.0.0.1:80', 'http://[fd00::1]:80']);
  });

  it('follows aliases within an answer and beyond it, and minds their time to live', async () => {
    server.behaviour = ({ name }) =>
      name === 'users.test'
        ? { answers: [cname('users.test', 'b.test', 9), cname('b.test', 'c.test', 50)] }
        : { answers: [a('c.test', '10.0.0.3', 60)] };
    const known = await ask(sourceOf(A));
    expect(known.targets).toMatchObject([{ url: 'http://10.0.0.3:80' }]);
    expect(known.waitMs).toBeCloseTo(9000);
    expect(server.asked).toEqual(['udp users.test A', 'udp c.test A']);
  });

  it.each([
    ['takes 8 aliases', 8, '10.0.0.1'],
    ['refuses 9 aliases', 9, 'more than 8 aliases'],
  ])('%s', async (_what, count, outcome) => {
    const names = Array.from({ length: count + 1 }, (_, index) =>
      index === 0 ? 'users.test' : `n${index}.test`,
    );
    server.behaviour = fixed({
      answers: [
        ...names.slice(1).map((name, index) => cname(names[index] as string, name)),
        a(names.at(-1) as string, '10.0.0.1'),
      ],
    });
    const heard = await urls(sourceOf(A)).then(String, (error: Error) => error.message);
    expect(heard).toContain(outcome);
  });

  it('refuses aliases that lead back', async () => {
    server.behaviour = fixed({ answers: [cname('users.test', 'b.test'), cname('b.test', 'users.test')] });
    await expect(ask(sourceOf(A))).rejects.toThrow('lead back');
  });

  it.each([
    ['a name that is not there', { rcode: 'NXDOMAIN', authorities: [soa('test', 20, 9)] }, 9000],
    ['a name without such records', { authorities: [soa('test', 7, 600)] }, 7000],
    ['one that is said for a day', { authorities: [soa('test', 86_400, 86_400)] }, 30_000],
    ['one without a word for how long', { rcode: 'NXDOMAIN' }, 5000],
  ] as const)('is certain of %s, for as long as that is said', async (_what, reply, waitMs) => {
    server.behaviour = fixed(reply);
    const known = await ask(sourceOf(A));
    expect([known.targets, known.waitMs]).toEqual([[], expect.closeTo(waitMs)]);
  });

  it.each(['SERVFAIL', 'REFUSED'] as const)('asks the next server after %s', async (rcode) => {
    server.behaviour = fixed({ rcode });
    second.behaviour = fixed({ answers: [a('users.test', '10.0.0.2')] });
    expect(await urls(sourceOf({ ...A, servers: [server.place, second.place] }))).toEqual([
      'http://10.0.0.2:80',
    ]);
  });

  it.each([
    ['SERVFAIL', fixed({ rcode: 'SERVFAIL' })],
    ['REFUSED', fixed({ rcode: 'REFUSED' })],
    ['timeout', fixed(undefined)],
    [
      'timeout',
      fixed({
        answers: [a('users.test', '6.6.6.6')],
        forge: (message: Buffer) => (message.writeUInt16BE((message.readUInt16BE(0) + 1) % 65_536), message),
      }),
    ],
    [
      'timeout',
      fixed({
        answers: [a('users.test', '6.6.6.6')],
        forge: (message: Buffer) => (message.write('sresu', 13), message),
      }),
    ],
    ['timeout', fixed({ forge: () => Buffer.from('nonsense') })],
    [
      'timeout',
      fixed({
        answers: [a('users.test', '6.6.6.6')],
        forge: (message: Buffer) => message.subarray(0, message.length - 2),
      }),
    ],
    ['truncated over TCP', fixed({ truncated: true })],
    [
      'no answer to the question',
      (_q: unknown, way: string) => (way === 'tcp' ? { forge: () => Buffer.alloc(0) } : { truncated: true }),
    ],
  ] as const)('knows nothing after %s', async (reason, behaviour) => {
    server.behaviour = behaviour as Behaviour;
    const error = await ask(sourceOf({ ...A, timeout: '30ms' })).catch((one: unknown) => one);
    expect(error).toMatchObject({
      name: 'Unknown',
      afterMs: 1000,
      message: expect.stringMatching(reason),
    });
  });

  it('waits for the answer behind forged ones', async () => {
    const forge = (message: Buffer): Buffer => (
      message.writeUInt16BE((message.readUInt16BE(0) + 1) % 65_536),
      message
    );
    server.behaviour = fixed([
      { answers: [a('users.test', '6.6.6.6')], forge },
      { answers: [a('users.test', '10.0.0.1')] },
    ]);
    expect(await urls(sourceOf(A))).toEqual(['http://10.0.0.1:80']);
  });

  it('asks from another port with another number each time', async () => {
    server.behaviour = fixed({ answers: [a('users.test', '10.0.0.1')] });
    const source = sourceOf(A);
    for (let i = 0; i < 8; i += 1) await ask(source);
    expect([server.ports.size > 5, server.ids.size > 6]).toEqual([true, true]);
  });

  it('asks over TCP for what does not fit, and uses nothing of the part', async () => {
    const all = Array.from({ length: 300 }, (_, index) =>
      a('users.test', `10.0.${index >> 8}.${index & 255}`),
    );
    server.behaviour = (_question, way) =>
      way === 'udp' ? { truncated: true, answers: all.slice(0, 3) } : { answers: all };
    expect(await urls(sourceOf(A))).toHaveLength(300);
    expect(server.asked).toEqual(['udp users.test A', 'tcp users.test A']);
  });

  it('asks over TCP alone where it is told to', async () => {
    server.behaviour = fixed({ answers: [a('users.test', '10.0.0.1')] });
    await ask(sourceOf({ ...A, transport: 'tcp' }));
    expect(server.asked).toEqual(['tcp users.test A']);
  });

  it('asks without extensions where a server does not know them', async () => {
    server.behaviour = (_question, _way, query) =>
      (query.additionals ?? []).length > 0
        ? { rcode: 'FORMERR' }
        : { answers: [a('users.test', '10.0.0.1')] };
    expect(await urls(sourceOf(A))).toEqual(['http://10.0.0.1:80']);
  });

  it('puts together what a server sends a random part of', async () => {
    const parts = [
      [1, 2],
      [3, 4],
      [1, 3],
      [2, 4],
    ];
    server.behaviour = () => ({ answers: (parts.shift() ?? []).map((n) => a('users.test', `10.0.0.${n}`)) });
    const source = sourceOf(A);
    const sizes: number[] = [];
    for (let i = 0; i < 4; i += 1) sizes.push((await ask(source)).targets.length);
    expect(sizes).toEqual([2, 2, 4, 4]);
  });
});

describe('DnsSource, by services', () => {
  const one = srv('_http._tcp.users.test', [0, 5, 8001, 'one.test']);
  const two = srv('_http._tcp.users.test', [1, 7, 8002, 'two.test']);

  it('takes port, priority and weight, and the addresses that came along', async () => {
    server.behaviour = fixed({
      answers: [one, two],
      additionals: [a('one.test', '10.0.0.1'), a('two.test', '10.0.0.2', 8)],
    });
    const known = await ask(sourceOf(SRV));
    expect(known.targets).toEqual([
      { url: 'http://10.0.0.1:8001', weight: 5, priority: 0, labels: {}, serverName: 'one.test' },
      { url: 'http://10.0.0.2:8002', weight: 7, priority: 1, labels: {}, serverName: 'two.test' },
    ]);
    expect(known.waitMs).toBeCloseTo(8000);
    expect(server.asked).toHaveLength(1);
  });

  it('asks for the addresses that did not come along, IPv6 only where there is no other', async () => {
    server.behaviour = ({ name, type }) => {
      if (type === 'SRV') return { answers: [one, two], additionals: [a('one.test', '10.0.0.1')] };
      return name === 'two.test' && type === 'AAAA' ? { answers: [a('two.test', 'fd00::2')] } : {};
    };
    expect(await urls(sourceOf(SRV))).toEqual(['http://10.0.0.1:8001', 'http://[fd00::2]:8002']);
    expect(server.asked.slice(1)).toEqual(['udp two.test A', 'udp two.test AAAA']);
  });

  it('keeps the addresses of a target that cannot be looked up, and skips one that never could', async () => {
    let isIll = false;
    server.behaviour = ({ name, type }) => {
      if (type === 'SRV') return { answers: isIll ? [one, two] : [one] };
      return isIll ? { rcode: 'SERVFAIL' } : { answers: [a(name, '10.0.0.1')] };
    };
    const source = sourceOf(SRV);
    await ask(source);
    isIll = true;
    const known = await ask(source);
    expect(known.targets).toMatchObject([{ url: 'http://10.0.0.1:8001' }]);
    expect(known.skipped).toEqual([expect.stringContaining('two.test')]);
  });

  it.each([
    [
      'weight 0 is rarely, not never',
      [
        [0, 0, 80, 'a.test'],
        [0, 3, 80, 'b.test'],
      ],
      [1, 300],
    ],
    [
      'all weights 0 are equal',
      [
        [0, 0, 80, 'a.test'],
        [0, 0, 80, 'b.test'],
      ],
      [1, 1],
    ],
  ] as const)('%s', async (_what, records, weights) => {
    server.behaviour = fixed({
      answers: records.map((record) => srv('_http._tcp.users.test', record)),
      additionals: [a('a.test', '10.0.0.1'), a('b.test', '10.0.0.2')],
    });
    expect((await ask(sourceOf(SRV))).targets.map(({ weight }) => weight)).toEqual(weights);
  });

  it('skips a target with port 0, and takes a service of `.` for absent', async () => {
    server.behaviour = fixed({
      answers: [srv('_http._tcp.users.test', [0, 1, 0, 'a.test']), one],
      additionals: [a('one.test', '10.0.0.1')],
    });
    expect(await ask(sourceOf(SRV))).toMatchObject({
      targets: { length: 1 },
      skipped: ['a.test has port 0'],
    });
    server.behaviour = fixed({ answers: [srv('_http._tcp.users.test', [0, 0, 0, '.'])] });
    expect(await ask(sourceOf(SRV))).toMatchObject({ targets: [], skipped: [] });
  });

  it('reads names that are compressed, which the functions of Node refuse', async () => {
    // The target `one` + pointer to `.test`, which the question has at byte 12 + 22.
    server.behaviour = fixed({
      forge: (message) => {
        const at = message.indexOf(Buffer.from('\x04test\0'));
        const data = Buffer.from([0, 0, 0, 5, 0x1f, 0x41, 3, 0x6f, 0x6e, 0x65, 0xc0, at]);
        const record = Buffer.from([0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 30, 0, data.length]);
        message.writeUInt16BE(2, 6);
        const two = Buffer.from([
          0xc0,
          message.length + record.length + 6,
          0,
          1,
          0,
          1,
          0,
          0,
          0,
          30,
          0,
          4,
          10,
          0,
          0,
          9,
        ]);
        message.writeUInt16BE(1, 6);
        message.writeUInt16BE(1, 10);
        return Buffer.concat([message, record, data, two]);
      },
    });
    expect((await ask(sourceOf(SRV))).targets).toMatchObject([
      { url: 'http://10.0.0.9:8001', serverName: 'one.test' },
    ]);
  });
});
