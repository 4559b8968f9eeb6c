import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../../src/config/config-fault.ts';
import {
  bytesOf,
  readTable,
  readTables,
  type EdgeCase,
  type Received,
  type Seen,
} from '../support/edge-table.ts';
import { checkGateway, startGateway, type TestGateway } from '../support/gateway.ts';
import { rawAnswers, type RawExchange } from '../support/raw-answers.ts';
import { API_KEY } from '../support/shop.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

// Runs every `*.yaml` beside it. What a table may say stands in README.md beside it.

interface Message {
  readonly service: string;
  readonly method?: string | undefined;
  readonly target?: string | undefined;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

const SERVICES = ['a', 'b', 'c'] as const;
const echoes: TestUpstream[] = [];
const received: Message[] = [];
let current: EdgeCase | undefined;

beforeAll(async () => {
  for (const service of SERVICES) echoes.push(await startUpstream(record(service)));
});
afterAll(() => Promise.all(echoes.map((one) => one.stop())));

describe.each(readTables(dirname(fileURLToPath(import.meta.url))))('$file: $title', (table) => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startGateway({
      config: JSON.stringify(table.config),
      environment: environment(table.environment),
    });
  });
  afterAll(() => gateway.stop());

  if (table.warnings !== undefined) {
    const { warnings } = table;
    it('warns at the start', () => {
      const said = gateway.lines
        .filter((line) => line['level'] === 40)
        .map((line) => `${String(line['key'])}: ${line.msg}`);
      expect(said).toEqual(warnings.map((one) => expect.stringContaining(one)));
    });
  }

  it.each(table.cases)('$name', async (row) => {
    current = row;
    received.length = 0;
    const answers = await rawAnswers(gateway.url, exchangeOf(row));
    const { upstream, ...only } = row.expect;
    const wanted = only.answers ?? [only];
    expect(answers.map(({ status }) => status)).toEqual(wanted.map(({ status }) => status));
    answers.forEach((answer, index) => check(answer, wanted[index] ?? { headers: {} }));
    if (upstream === undefined) return;
    expect(received.map(({ method, target }) => ({ method, target }))).toHaveLength(upstream.length);
    upstream.forEach((one, index) => checkReceived(received[index] as Message, one));
  });

  if (table.refusals.length === 0) return;
  it.each(table.refusals)('refuses $name', async ({ config, faults }) => {
    const options = { config: JSON.stringify(config), environment: environment(table.environment) };
    const refused = await checkGateway(options).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refused).toBeInstanceOf(ConfigError);
    const said = (refused as ConfigError).faults.map(({ key, message }) => `${key}: ${message}`);
    expect(said).toEqual(faults.map((one) => expect.stringContaining(one)));
  });
});

describe('a table', () => {
  const config = 'title: t\nconfig: {}\ncases:\n  - { name: n, request: {}, expect: { status: 200 } }\n';

  it('is read', () => {
    expect(readTable(config, 'x.yaml').cases).toHaveLength(1);
  });

  it.each([
    ['target: /', 'targets: /'],
    ['a', 'titel: x\n' + config],
    ['status', config.replace('status: 200', 'staus: 200')],
    ['upstream', config.replace('status: 200', 'status: 200, upstream: { traget: / }')],
    ['headers', config.replace('status: 200', 'status: 200, headers: { x: { match: a } }')],
    ['request', config.replace('request: {}', 'request: { path: / }')],
    ['two of a name', config + '  - { name: n, request: {}, expect: { status: 200 } }\n'],
  ])('with a typo is none: %s', (_, text) => {
    expect(() => readTable(text, 'x.yaml')).toThrow('x.yaml');
  });
});

function environment(more: Readonly<Record<string, string>>): Record<string, string> {
  const [a = '', b = '', c = ''] = echoes.map(({ url }) => url);
  const key = createHash('sha256').update(API_KEY).digest('hex');
  return { ECHO: a, ECHO_B: b, ECHO_C: c, API_KEY_SHA256: key, ...more };
}

function exchangeOf({ request, expect }: EdgeCase): RawExchange {
  const { method, target, headers, body, raw } = request;
  const answers = expect.answers?.length ?? 1;
  if (raw !== undefined) return { pieces: raw.map((one) => Buffer.from(one, 'latin1')), answers };
  const named = new Set(headers.map((line) => line.slice(0, line.indexOf(':')).toLowerCase()));
  const lines = named.has('host') ? [...headers] : ['Host: gateway.test', ...headers];
  const bytes = body === undefined ? Buffer.alloc(0) : bytesOf(body);
  if (body !== undefined && !named.has('content-length') && !named.has('transfer-encoding'))
    lines.push(`Content-Length: ${bytes.length}`);
  const head = Buffer.from([`${method} ${target} HTTP/1.1`, ...lines, '', ''].join('\r\n'), 'latin1');
  return { pieces: [Buffer.concat([head, bytes])], answers, head: method === 'HEAD' };
}

function record(service: string): TestUpstream['listener'] {
  return (request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    request.on('error', () => undefined).on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url: target, rawHeaders } = request;
      const body = Buffer.concat(chunks);
      received.push({ service, method, target, rawHeaders, body });
      const answers = current?.answer;
      const {
        waitMs = 0,
        status = 200,
        headers = { 'content-type': 'application/json' },
        body: said,
      } = answers?.[received.length - 1] ?? answers?.at(-1) ?? {};
      const bytes =
        said === undefined
          ? Buffer.from(JSON.stringify({ service, method, target, rawHeaders, body: String(body) }))
          : bytesOf(said);
      const say = (): void => void response.writeHead(status, headers).end(bytes);
      if (waitMs === 0) return say();
      const timer = setTimeout(say, waitMs);
      response.once('close', () => clearTimeout(timer));
    });
  };
}

function checkReceived(message: Message, wanted: Received): void {
  const { service = message.service, method = message.method, target = message.target } = wanted;
  expect({ service: message.service, method: message.method, target: message.target }).toEqual({
    service,
    method,
    target,
  });
  check(message, wanted);
}

function check({ rawHeaders, body }: Pick<Message, 'rawHeaders' | 'body'>, wanted: Seen): void {
  for (const [name, value] of Object.entries(wanted.headers)) {
    const lines = rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);
    if (typeof value === 'boolean') expect({ [name]: lines.length > 0 }).toEqual({ [name]: value });
    else if (Array.isArray(value)) expect({ [name]: lines }).toEqual({ [name]: value });
    else
      expect({ [name]: lines.join(', ') }).toEqual({
        [name]: expect.stringMatching(new RegExp(value.matches)),
      });
  }
  if (typeof wanted.body === 'string') expect(body.toString()).toBe(wanted.body);
  else if (wanted.body !== undefined && 'matches' in wanted.body)
    expect(body.toString()).toMatch(new RegExp(wanted.body.matches));
  else if (wanted.body !== undefined) expect(body.toString('base64')).toBe(wanted.body.base64);
  if (wanted.json === undefined) return;
  expect([JSON.parse(body.toString())]).toEqual([partly(wanted.json)]);
}

/** Objects may have more than is wanted; lists may not. */
function partly(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(partly);
  if (typeof value !== 'object' || value === null) return value;
  return expect.objectContaining(
    Object.fromEntries(Object.entries(value).map(([name, one]) => [name, partly(one)])),
  );
}
