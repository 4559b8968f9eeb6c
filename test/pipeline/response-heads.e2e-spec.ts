import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Draining } from '../../src/health/draining.ts';
import type { Stage } from '../../src/policies/stage.ts';
import { TransformStageFactory } from '../../src/policies/transform/transform.stage.ts';
import { KindsServer } from '../support/kinds-server.ts';
import {
  ANSWERS,
  PROBLEMS,
  REFUSED_SOCKETS,
  SOCKETS,
  UNPARSED,
  writersShop,
  writtenHead,
  type WireHead,
  type Written,
} from '../support/response-writers.ts';
import { startShop, type Shop } from '../support/shop.ts';

const ID = /^[\w-]{8,}$/;
const EVERYTHING = [...ANSWERS, ...SOCKETS, ...PROBLEMS, ...REFUSED_SOCKETS, ...UNPARSED];

/** What the stage that edits heads does besides; as the routes are compiled, it is there for all of them. */
let fault: NonNullable<Stage['head']> | undefined;
const edits = new Map<string, number>();
const { compile } = TransformStageFactory.prototype;
const kinds = new KindsServer();
let shop: Shop;
/** The same, with stages that edit the heads of answers only. */
let plain: Shop;

// The stage is the gateway's own; a fault is added to what it does.
function faulty(stage: Stage | undefined): Stage | undefined {
  const head = stage?.head;
  if (stage === undefined || head === undefined) return stage;
  return {
    enter: stage.enter,
    body: stage.body,
    heads: stage.heads,
    maxBodyBytes: stage.maxBodyBytes,
    head(exchange, edited) {
      edits.set(exchange.id, (edits.get(exchange.id) ?? 0) + 1);
      head(exchange, edited);
      fault?.(exchange, edited);
    },
  };
}

beforeAll(async () => {
  TransformStageFactory.prototype.compile = function (input) {
    return faulty(compile.call(this, input));
  };
  await kinds.start();
  const setHeaders = { 'x-frame': 'ours', 'x-request-id': 'theirs', 'sec-websocket-accept': 'theirs' };
  [shop, plain] = await Promise.all([
    startShop(writersShop(kinds, { response: { setHeaders, headersOn: 'all' } })),
    startShop(writersShop(kinds, { response: { setHeaders } })),
  ]);
  for (const one of [shop, plain]) {
    one.echo.listener = (request, response) => {
      const [, what = ''] = /(\w+)$/.exec(request.url ?? '') ?? [];
      if (what === 'slow') return;
      if (what === 'events')
        return void response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
      response
        .writeHead(Number(what) || 200, { 'content-type': 'application/json' })
        .end(what === '204' ? '' : '{"a":1}');
    };
    for (const line of ['GET /limited', 'GET /broken', 'GET /stored/200'])
      await writtenHead(one, { name: line, line, status: 0 });
  }
});
afterEach(() => (fault = undefined));
afterAll(async () => {
  TransformStageFactory.prototype.compile = compile;
  await Promise.all([shop.stop(), plain.stop()]);
  kinds.stop();
});

/** What every head has, whoever wrote it. */
function expectFinished(head: WireHead, { status, reached, connection = 'keep-alive' }: Written): void {
  const { lines } = head;
  expect([head.status, lines['connection']]).toEqual([
    status,
    [expect.stringMatching(new RegExp(connection, 'i'))],
  ]);
  expect(lines['x-request-id']).toEqual([expect.stringMatching(ID)]);
  expect(lines['ratelimit-policy']?.length ?? 0).toBe(reached === undefined ? 1 : 0);
  expect(lines['x-ratelimit-limit']?.length ?? 0).toBe(reached === undefined ? 1 : 0);
}

describe.each(EVERYTHING)('$name', (written) => {
  it('has the request id, what stages added, the edits, and one word on the connection', async () => {
    const head = await writtenHead(shop, written);
    expectFinished(head, written);
    const isEdited = written.reached !== 'nothing';
    expect(head.lines['x-frame']).toEqual(isEdited ? ['ours'] : undefined);
    expect(edits.get(String(head.lines['x-request-id']))).toBe(isEdited ? 1 : undefined);
    if (written.status === 101)
      expect(head.lines['sec-websocket-accept']).toEqual(['s3pPLMBiTxaQ9kYGzzhZRbK+xOo=']);
  });

  it('is edited as an answer only if it is one', async () => {
    const head = await writtenHead(plain, written);
    expectFinished(head, written);
    expect(head.lines['x-frame']).toEqual(ANSWERS.includes(written) ? ['ours'] : undefined);
  });

  it('tells of the end of the connection while the gateway leaves', async () => {
    const draining = plain.gateway.gateway.app.get(Draining);
    draining.active = true;
    try {
      const connection = written.status === 101 ? 'Upgrade' : 'close';
      expectFinished(await writtenHead(plain, written), { ...written, connection });
    } finally {
      draining.active = false;
    }
  });
});

const FAULTS: readonly [what: string, NonNullable<Stage['head']>][] = [
  [
    'throws',
    () => {
      throw new Error('secret of a stage');
    },
  ],
  ['says what no field can', (_, head) => void head.headers.push('x-bad', 'secret\r\nx-smuggled: 1')],
];

describe.each(FAULTS)('a stage that %s at the head of', (_, broken) => {
  it.each([...ANSWERS, ...SOCKETS])('$name makes a problem of it', async (written) => {
    fault = broken;
    const head = await writtenHead(shop, written);
    const connection = written.status === 101 ? 'close' : 'keep-alive';
    expectFinished(head, { ...written, status: 500, connection });
    expect(head.lines['content-type']).toEqual(['application/problem+json']);
    expect(JSON.stringify(head)).not.toMatch(/secret|smuggled/);
    const id = String(head.lines['x-request-id']);
    expect(await shop.lineOfId(id)).toMatchObject({ status: 500, refused: { code: 'internal' } });
    expect(
      await shop.gateway.linesWhere((line) => line['id'] === id && line.msg.startsWith('unforeseen')),
    ).not.toEqual([]);
  });

  it.each([...PROBLEMS, ...REFUSED_SOCKETS])('$name lets it out without the edit', async (written) => {
    fault = broken;
    const head = await writtenHead(shop, written);
    expectFinished(head, written);
    expect(head.lines).not.toHaveProperty('x-frame');
    expect(JSON.stringify(head)).not.toMatch(/secret|smuggled/);
    if (written.reached === 'nothing') return;
    const id = String(head.lines['x-request-id']);
    expect(
      await shop.gateway.linesWhere((line) => line['id'] === id && line.msg.startsWith('unforeseen')),
    ).toHaveLength(1);
  });
});
