import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { discoverySchema } from '../../src/upstreams/discovery/discovery.schema.ts';
import { DnsSource } from '../../src/upstreams/discovery/dns/dns-source.ts';
import { Dnsmasq, DNSMASQ } from '../support/dnsmasq.ts';

const MANY = Array.from({ length: 200 }, (_, index) => `10.9.0.${index + 1} many.test`);

let server: Dnsmasq;

function ask(options: object): Promise<Awaited<ReturnType<DnsSource['next']>>> {
  const { dns } = discoverySchema.parse({
    dns: { servers: [`127.0.0.1:${server.port}`], timeout: '1s', ...options },
  });
  const source = new DnsSource({ ...(dns as NonNullable<typeof dns>), scheme: 'http', random: () => 0.5 });
  return source.next({ signal: new AbortController().signal, withinMs: Infinity });
}
const urls = async (options: object) => (await ask(options)).targets.map(({ url }) => url).sort();

async function answers(options: object): Promise<string> {
  for (;;) {
    const text = await urls(options).then(String, () => '');
    if (text !== '') return text;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

// Without it this spec is shown as skipped.
(DNSMASQ === undefined ? describe.skip : describe)('discovery by a real name server', () => {
  beforeAll(async () => {
    const hosts = [
      '10.0.0.1 users.test',
      '10.0.0.2 users.test',
      'fd00::1 six.test',
      '10.0.0.3 one.test',
      '10.0.0.4 two.test',
      ...MANY,
    ];
    server = await Dnsmasq.start(hosts, [
      '--local-ttl=7',
      '--cname=alias.test,users.test',
      '--srv-host=_http._tcp.web.test,one.test,8001,0,5',
      '--srv-host=_http._tcp.web.test,two.test,8002,1,7',
    ]);
    await answers({ name: 'users.test', port: 80 });
  });
  afterAll(() => server.stop());

  it('finds addresses, and their time to live', async () => {
    const known = await ask({ name: 'users.test', port: 80 });
    expect(known.targets.map(({ url }) => url).sort()).toEqual(['http://10.0.0.1:80', 'http://10.0.0.2:80']);
    expect(known.waitMs).toBeCloseTo(7000);
    expect(await urls({ name: 'six.test', type: 'AAAA', port: 80 })).toEqual(['http://[fd00::1]:80']);
  });

  it('follows an alias', async () => {
    expect(await urls({ name: 'alias.test', port: 80 })).toEqual([
      'http://10.0.0.1:80',
      'http://10.0.0.2:80',
    ]);
  });

  it('finds services with port, priority and weight', async () => {
    const { targets } = await ask({ name: '_http._tcp.web.test', type: 'SRV' });
    expect([...targets].sort((a, b) => a.priority - b.priority)).toMatchObject([
      { url: 'http://10.0.0.3:8001', priority: 0, weight: 5 },
      { url: 'http://10.0.0.4:8002', priority: 1, weight: 7 },
    ]);
  });

  it('finds all of what does not fit into a datagram', async () => {
    expect(await urls({ name: 'many.test', port: 80 })).toHaveLength(200);
    expect(await urls({ name: 'many.test', port: 80, transport: 'tcp' })).toHaveLength(200);
  });

  it.each([
    ['a name that is not there', { name: 'none.test', port: 80 }],
    ['a family that is not there', { name: 'users.test', type: 'AAAA', port: 80 }],
  ])('is certain of %s', async (_what, options) => {
    expect(await ask(options)).toMatchObject({ targets: [], skipped: [] });
  });

  it('knows nothing of what the server may not tell', async () => {
    await expect(ask({ name: 'users.elsewhere', port: 80 })).rejects.toThrow(/REFUSED/);
  });

  it('sees what changes', async () => {
    server.change(['10.0.0.7 users.test']);
    let seen = '';
    while (seen !== 'http://10.0.0.7:80') seen = await answers({ name: 'users.test', port: 80 });
    expect(seen).toBe('http://10.0.0.7:80');
  });
});
