import type { RequestListener } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { call } from '../support/client.ts';
import { checkGateway, startGateway, type LogLine, type TestGateway } from '../support/gateway.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

let gateway: TestGateway;
let one: TestUpstream;
let two: TestUpstream;
let turns: RequestListener[] = [];

const stalls: RequestListener = () => undefined;
const fails: RequestListener = (_, response) => void setTimeout(() => response.writeHead(503).end(), 30);
/** The head at once, the body never. */
const trickles: RequestListener = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': 20 }).flushHeaders();
};
const answers: RequestListener = ({ headers }, response) => {
  const body = JSON.stringify(headers);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
};

beforeAll(async () => {
  const inTurn: RequestListener = (request, response) => (turns.shift() ?? answers)(request, response);
  [one, two] = [await startUpstream(inTurn), await startUpstream(inTurn)];
  const both = `targets: ['${one.url}', '${two.url}'], circuitBreaker: 'off'`;
  gateway = await startGateway({
    config: `
version: 1
defaults: { policies: { authentication: public, deadline: 2s } }
upstreams:
  quick: { ${both}, retry: { perTry: 700ms, budget: 100% } }
  plain: { ${both}, retry: { budget: 100%, on: [503] } }
  told: { ${both}, retry: { budget: 100% }, deadlineHeader: { name: X-Request-Timeout, unit: ms } }
  seconds: { ${both}, deadlineHeader: { name: X-Request-Timeout, unit: s } }
routes:
  - { id: quick, match: { path: /quick }, upstream: quick }
  - { id: own, match: { path: /own }, upstream: plain, retry: { perTry: 700ms, on: [timeout] } }
  - { id: plain, match: { path: /plain }, upstream: plain }
  - { id: told, match: { path: /told }, upstream: told }
  - { id: seconds, match: { path: /seconds }, upstream: seconds }
  - { id: endless, match: { path: /endless }, upstream: told, policies: { deadline: 'off' } }
  - { id: called, match: { path: /called }, aggregate: { calls: { it: { upstream: quick, path: /x, required: true } } } }
  - { id: calltold, match: { path: /calltold }, aggregate: { calls: { it: { upstream: told, path: /x, required: true } } } }
`,
  });
});

beforeEach(() => {
  turns = [];
  one.requests.length = two.requests.length = 0;
});

afterAll(async () => {
  await gateway.stop();
  await Promise.all([one.stop(), two.stop()]);
});

async function asked(path: string, more: Parameters<typeof call>[1] = {}): Promise<string> {
  const before = (await gateway.accessLines(0)).length;
  const { status } = await call(gateway.url + path, more);
  const line = (await gateway.accessLines(before + 1)).at(-1) as LogLine;
  const words = ((line['attempts'] ?? []) as { readonly outcome: string }[]).map(({ outcome }) => outcome);
  return [`${status}:`, ...words].join(' ');
}

const toldTimes = (name: string): number[] =>
  [...one.requests, ...two.requests].map(({ headers }) => Number(headers[name])).sort((a, b) => b - a);

describe('`retry.perTry`', () => {
  it.each([
    ['/quick', '200: timeout 200'],
    ['/own', '200: timeout 200'],
    ['/called', '200: upstream-timeout 200'],
  ])('ends an attempt that takes longer, and has another one made, at %s', async (path, became) => {
    turns = [stalls];
    expect(await asked(path)).toBe(became);
  });

  it.each([
    ['/quick', '504: timeout timeout'],
    ['/called', '504: upstream-timeout upstream-timeout'],
  ])('holds for each attempt, at %s', async (path, became) => {
    turns = [stalls, stalls];
    expect(await asked(path)).toBe(became);
  });

  it('is not over with the head of what is read as a whole', async () => {
    turns = [trickles];
    expect(await asked('/called')).toBe('200: upstream-timeout 200');
  });

  it('does not make a request twice that must not be', async () => {
    turns = [stalls];
    expect(await asked('/quick', { method: 'POST', body: 'x' })).toBe('504: timeout');
  });

  it('is over with the head of what is forwarded', async () => {
    turns = [
      (_, response) => {
        response.writeHead(200, { 'content-length': 4 }).write('12');
        setTimeout(() => response.end('34'), 1000);
      },
    ];
    expect(await asked('/quick')).toBe('200: 200');
  });
});

describe('what is left of the deadline', () => {
  it.each([
    ['X-Request-Deadline-Ms', '/plain', 'x-request-deadline-ms'],
    ['the field that the upstream names', '/told', 'x-request-timeout'],
    ['the field, of a call', '/calltold', 'x-request-timeout'],
  ])('is told each attempt anew by %s', async (_, path, name) => {
    turns = [fails];
    await asked(path);
    const [first = 0, second = 0] = toldTimes(name);
    expect(first).toBeLessThanOrEqual(2000);
    expect(first - second).toBeGreaterThanOrEqual(25);
    expect(second).toBeGreaterThan(0);
  });

  it('is counted in the unit that is asked for', async () => {
    await asked('/seconds');
    expect(toldTimes('x-request-timeout')).toEqual([2]);
  });

  it('is nothing where there is no deadline', async () => {
    await asked('/endless', { headers: { 'x-request-timeout': '5000' } });
    expect([...one.requests, ...two.requests].map(({ headers }) => headers['x-request-timeout'])).toEqual([
      undefined,
    ]);
  });

  it.each([
    ['more than there is', '90000', 1000, 2000],
    ['no time at all', 'soon', 1000, 2000],
    ['it twice', ['300', '400'], 1000, 2000],
    ['less than there is', '1000', 0, 1000],
  ])('is not lengthened by a client that says %s', async (_, said, least, most) => {
    await asked('/told', { headers: { 'X-Request-Timeout': said } });
    const [left = 0] = toldTimes('x-request-timeout');
    expect(left).toBeGreaterThan(least);
    expect(left).toBeLessThanOrEqual(most);
  });

  it.each([
    ['in ms', '/told', '40'],
    ['in seconds', '/seconds', '0.04'],
    ['which is over', '/told', '0'],
  ])('is shortened by a client, %s, and ends with it', async (_, path, said) => {
    turns = [stalls];
    expect(await asked(path, { headers: { 'X-Request-Timeout': said } })).toMatch(/^504:/);
  });

  it('is not told where nobody asks for it: the client’s own field passes as any other', async () => {
    await asked('/plain', { headers: { 'X-Request-Timeout': '7' } });
    expect(toldTimes('x-request-timeout')).toEqual([7]);
  });
});

describe('`deadlineHeader`', () => {
  const configOf = (more: string) => `
version: 1
defaults: { policies: { authentication: public } }
upstreams: { it: { ${more} } }
routes: []
`;

  it.each([
    ["targets: ['http://127.0.0.1:1'], deadlineHeader: { name: x-timeout }", /unit/],
    ["targets: ['http://127.0.0.1:1'], deadlineHeader: { name: host, unit: s }", /means nothing else/],
    [
      "targets: ['http://127.0.0.1:1'], deadlineHeader: { name: Content-Length, unit: s }",
      /means nothing else/,
    ],
    [
      "protocol: grpc, targets: ['grpc://127.0.0.1:1'], deadlineHeader: { name: x-timeout, unit: s }",
      /grpc-timeout/,
    ],
  ])('is refused: %s', async (more, message) => {
    await expect(checkGateway({ config: configOf(more) })).rejects.toThrow(message);
  });
});
