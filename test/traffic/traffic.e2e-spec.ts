import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import type {
  ExchangesAnswer,
  Kept,
  ListAnswer,
  OverviewAnswer,
  PictureAnswer,
  RouteAnswer,
  RouteRow,
  UpstreamAnswer,
} from '../../src/traffic/traffic-answers.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startUpstream } from '../support/upstream.ts';

const stops: (() => Promise<void>)[] = [];
let gateway: TestGateway;

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function start(more = ''): Promise<void> {
  const upstream = await startUpstream((asked, response) => {
    const status = asked.url?.startsWith('/broken') === true ? 503 : 200;
    response.writeHead(status).end('done');
  });
  stops.push(() => upstream.stop());
  const config = `
version: 1
defaults: { policies: { authentication: public } }
upstreams: { it: { targets: [${upstream.url}], circuitBreaker: 'off', retry: { attempts: 1 } } }
routes:
  - { id: fine, match: { path: /fine/* }, upstream: it }
  - { id: broken, match: { path: /broken }, upstream: it }
  - id: limited
    match: { path: /limited }
    upstream: it
    policies:
      rateLimit: { key: ip, rate: 1, per: 1h, burst: 1 }
${more}`;
  gateway = await startGateway({ config });
  stops.push(() => gateway.stop());
}

async function read<Answer>(path: string): Promise<Answer> {
  const answer = await fetch(gateway.adminUrl + path);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Answer;
}

async function send(path: string, count = 1): Promise<void> {
  for (let i = 0; i < count; i += 1) await (await fetch(gateway.url + path)).text();
  await gateway.accessLines(count);
}

/** Rows are shared by all who ask within a second. */
const nextTable = (): Promise<void> => sleep(950);

describe('traffic at the operators’ listener', () => {
  it('counts requests, faults and refusals by route, and lists the worst', async () => {
    await start();
    await send('/fine/1', 4);
    await send('/broken', 2);
    await send('/limited', 3);
    const { rows, total } = await read<ListAnswer<RouteRow>>('/traffic/routes?sort=-errorRate');
    // Three of the file, those of the gateway itself, and what no route takes.
    expect(total).toBe(9);
    expect(rows[0]).toMatchObject({
      id: 'broken',
      errorRate: 1,
      refusedRate: 0,
      state: 'failing',
      upstream: 'it',
    });
    const limited = rows.find(({ id }) => id === 'limited');
    expect(limited).toMatchObject({ errorRate: 0, refusedRate: 0.667, methods: '*', group: '/limited' });
    expect(rows.find(({ id }) => id === 'fine')).toMatchObject({ errorRate: 0, p95: expect.any(Number) });
    const whole = await read<OverviewAnswer>('/traffic');
    expect(whole.worst.failing.map(({ id }) => id)).toEqual(['broken']);
    expect(whole.worst.refused.map(({ id }) => id)).toEqual(['limited']);
    expect(whole.series.requests.reduce((sum, one) => sum + one)).toBe(9);
    expect(whole).toMatchObject({ generation: 1, routes: 8, upstreams: 1, process: { inFlight: 0 } });
  });

  it('pages and searches at the server, and tells all names at once to who does not have them', async () => {
    await start();
    const first = await read<ListAnswer<RouteRow>>('/traffic/routes?limit=1&q=match-nothing');
    expect(first).toEqual({ total: 0, rows: [] });
    expect(await read('/traffic/routes?limit=1&from=1')).toMatchObject({ total: 9, next: 2 });
    const names = await fetch(`${gateway.adminUrl}/traffic/routes?names=true`);
    expect(((await names.json()) as ListAnswer<object>).rows).toHaveLength(9);
    const headers = { 'if-none-match': names.headers.get('etag') ?? '' };
    expect((await fetch(`${gateway.adminUrl}/traffic/routes?names=true`, { headers })).status).toBe(304);
    const wrong = await fetch(`${gateway.adminUrl}/traffic/routes?sort=color`);
    expect([wrong.status, await wrong.json()]).toEqual([
      400,
      { error: expect.stringContaining('expected one of path') },
    ]);
  });

  it('keeps a refusal with why, where that is said, and what to ask explain', async () => {
    await start();
    await send('/limited?token=secret-value', 2);
    const { rows, kept } = await read<ExchangesAnswer>('/exchanges?outcome=refused');
    expect(kept).toMatchObject({ refused: 1, since: expect.any(String) });
    expect(rows).toHaveLength(1);
    const { id } = rows[0] as Kept;
    const one = await read<Kept>(`/exchanges/${id}`);
    expect(one).toMatchObject({ route: 'limited', status: 429, code: 'rate-limited', stage: 'limit' });
    expect(one.rule).toMatch(/:12:7$/);
    expect(one.reason).toMatch(/^127\.0\.0\.1 was refused at limit by .* \(.*:12:7\): /);
    expect(one.explain).toBe('GET /limited?token=');
    expect(JSON.parse(one.line ?? '')).toMatchObject({ id, status: 429, refused: { code: 'rate-limited' } });
    expect(JSON.stringify(one)).not.toContain('secret-value');
    const { rows: clients } = await read<ListAnswer<object>>('/traffic/clients');
    expect(clients[0]).toMatchObject({ client: '127.0.0.1', requests: 2, refused: 1, limitedBy: one.by });
    const left = { remaining: 0, limit: 1, resetMs: expect.any(Number), at: expect.any(String) };
    expect(clients[0]).toMatchObject({ routes: [{ route: 'limited', requests: 2, left }] });
  });

  it('keeps what a service has failed, and says so in a sentence', async () => {
    await start();
    await send('/broken');
    const { rows } = await read<ExchangesAnswer>('/exchanges?q=broken');
    expect(rows[0]?.outcome).toBe('failed');
    expect(rows[0]?.reason).toMatch(/^it \(127\.0\.0\.1:\d+\) answered 503\.$/);
  });

  it('says since when exchanges are kept to who asks for one that is not', async () => {
    await start();
    await send('/limited', 2);
    const answer = await fetch(`${gateway.adminUrl}/exchanges/nobody-knows`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({
      error: expect.stringContaining('since 20'),
      since: expect.any(String),
    });
  });

  it('shows where the time of a route goes, why it refuses, and who asks', async () => {
    await start();
    await send('/limited', 3);
    const { refusals, split, clients, slowest, origin } = await read<RouteAnswer>('/traffic/routes/limited');
    expect(refusals).toEqual([{ stage: 'limit', code: 'rate-limited', count: 2 }]);
    expect(split).toMatchObject({ watched: 3 });
    expect(split?.upstream).toBeGreaterThan(0);
    expect(clients).toEqual([{ client: '127.0.0.1', requests: 3, refused: 2 }]);
    expect(slowest).toHaveLength(1);
    expect(origin).toMatch(/:\d+:\d+$/);
    expect((await fetch(`${gateway.adminUrl}/traffic/routes/none`)).status).toBe(404);
  });

  it('shows upstreams with their targets, and the picture of all of it', async () => {
    await start();
    await send('/fine/1', 2);
    const { row, targets, routes } = await read<UpstreamAnswer>('/traffic/upstreams/it');
    expect(row).toMatchObject({ upstream: 'it', targets: 1, available: 1, errorRate: 0 });
    expect(targets[0]).toMatchObject({ available: true, why: null, weight: 1, p95: expect.any(Number) });
    expect(routes).toHaveLength(3);
    const picture = await read<PictureAnswer>('/traffic/picture?select=r:fine');
    expect(picture.routes.map(({ id }) => id)).toEqual(['r:fine']);
    expect(picture.edges.map(([from, to]) => [from, to])).toEqual([
      ['r:fine', 'u:it'],
      ['u:it', `t:it/${targets[0]?.target}`],
    ]);
  });
});

describe('/stream', () => {
  async function listen(
    query: string,
    lastId?: string,
  ): Promise<{ text: () => string; id: () => string; end: () => void }> {
    const asked = request(`${gateway.adminUrl}/stream?${query}`, {
      headers: lastId === undefined ? {} : { 'last-event-id': lastId },
    }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(200);
    let text = '';
    answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    answer.on('error', () => undefined);
    return {
      text: () => text,
      id: () => /id: (\S+)\n(?![^]*id: )/.exec(text)?.[1] ?? '',
      end: () => void asked.destroy(),
    };
  }

  async function until(holds: () => boolean): Promise<void> {
    for (let waited = 0; !holds() && waited < 10_000; waited += 20) await sleep(20);
    expect(holds()).toBe(true);
  }

  it('sends what is there, and then what changes', async () => {
    await start();
    const stream = await listen('view=routes');
    await until(() => stream.text().includes('event: rows'));
    expect(stream.text()).toMatch(/^retry: 1000\n\nevent: hello\ndata: \{"epoch":"\w+","generation":1/);
    expect(stream.text()).toContain('event: dict');
    const before = stream.text().length;
    await send('/fine/1', 3);
    await until(() => stream.text().length > before);
    const [, index, rps] = /\[\[(\d),([\d.]+),/.exec(stream.text().slice(before)) ?? [];
    // Routes stand in the order of their paths, behind what no route takes: those of the gateway itself among them.
    expect([index, Number(rps) > 0]).toEqual(['4', true]);
    stream.end();
  });

  it('goes on where the one before has ended', async () => {
    await start();
    const stream = await listen('view=routes');
    await until(() => stream.id() !== '');
    const seen = stream.id();
    stream.end();
    const again = await listen('view=routes', seen);
    await until(() => again.text().includes('event: hello'));
    await nextTable();
    expect(again.text()).not.toContain('event: dict');
    const anew = await listen('view=routes', 'another.3');
    await until(() => anew.text().includes('event: dict'));
    again.end();
    anew.end();
  });
});
