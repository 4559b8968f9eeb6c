import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { readFileSync } from 'node:fs';
import { useBrowser, type TestPage } from '../support/browser.ts';
import type { TestGateway } from '../support/gateway.ts';
import { KindsServer, type Refusal } from '../support/kinds-server.ts';
import { encoded, startPassing } from '../support/pass-gateway.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const browser = useBrowser();
let service: KindsServer;
let gateway: TestGateway;
let pages: TestUpstream;
let shown: TestPage;

const CORS = JSON.stringify({
  origins: [{ regex: 'http://127\\.0\\.0\\.1:[0-9]+' }],
  methods: ['POST'],
  headers: ['content-type', 'x-grpc-web', 'x-user-agent', 'grpc-timeout', 'x-mine'],
  exposedHeaders: ['grpc-status', 'grpc-message'],
});

beforeAll(async () => {
  service = await new KindsServer().start();
  pages = await startUpstream((request, response) => {
    const isScript = request.url === '/grpc-web.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(
      isScript ? readFileSync('node_modules/grpc-web/index.esm.js') : '<!doctype html><title>page</title>',
    );
  });
  gateway = await startPassing({
    targets: [service.url],
    upstream: 'circuitBreaker: off',
    routes: `
  - { id: pages, match: { path: /pages/* }, upstream: kinds, passGrpc: { stripPrefix: /pages }, policies: { authentication: public, cors: ${CORS} } }
  - { id: shut, match: { path: /shut/* }, upstream: kinds, passGrpc: { stripPrefix: /shut }, policies: { authentication: { schemes: [apiKey] }, cors: ${CORS} } }`,
  });
  shown = await browser.open(pages.url);
});

afterAll(async () => {
  await shown?.close();
  await gateway.stop();
  await pages.stop();
  service.stop();
});

/** What the page is told to call. */
interface Called {
  readonly base: string;
  readonly path: string;
  readonly format: 'text' | 'binary';
  readonly bytes: readonly number[];
  readonly streams: boolean;
}

/** What came of it, as the client library tells. */
interface Told {
  readonly messages: readonly (readonly number[])[];
  readonly code: number;
  readonly text: string;
}

/** Calls with the client library of gRPC-Web; runs in the browser. */
async function called({ base, path, format, bytes, streams }: Called): Promise<Told> {
  const { GrpcWebClientBase, MethodDescriptor } = await import('/grpc-web.js' as string);
  const client = new GrpcWebClientBase({ format });
  const type = streams ? 'server_streaming' : 'unary';
  const method = new MethodDescriptor(
    path, type, Uint8Array, Uint8Array,
    (message: Uint8Array) => message, (message: Uint8Array) => Array.from(message),
  ); // prettier-ignore
  const messages: number[][] = [];
  return new Promise((resolve) => {
    const end = (code: number, text: string): void =>
      setTimeout(resolve, 20, { messages, code, text }) as unknown as void;
    const asked = [base + path, new Uint8Array(bytes), { 'x-mine': 'a' }, method] as const;
    if (streams) {
      const stream = client.serverStreaming(...asked);
      stream.on('data', (message: number[]) => messages.push(message));
      stream.on('status', ({ code, details }: { code: number; details: string }) => end(code, details));
      stream.on('error', ({ code, message }: { code: number; message: string }) => end(code, message));
      return;
    }
    client.unaryCall(...asked).then(
      (message: number[]) => {
        messages.push(message);
        end(0, '');
      },
      ({ code, message }: { code: number; message: string }) => end(code, message),
    );
  });
}

const ask = (
  path: string,
  bytes: Buffer,
  more: Partial<Called> & { prefix?: string } = {},
): Promise<Told> => {
  const { prefix = '/pages', ...rest } = more;
  const given: Called = {
    base: gateway.url + prefix,
    path,
    format: 'text',
    bytes: [...bytes],
    streams: false,
    ...rest,
  };
  return shown.page.evaluate(called, given);
};

describe('a page of another origin that calls by the grpc-web package', () => {
  it.each(['text', 'binary'] as const)('gets one message as %s', async (format) => {
    service.reset();
    expect(await ask('/test.v1.Kinds/Echo', Buffer.from('hi'), { format })).toEqual({
      messages: [[104, 105]],
      code: 0,
      text: '',
    });
    expect(service.lastMetadata?.get('x-mine')).toEqual(['a']);
  });

  it('gets a stream of messages', async () => {
    const told = await ask('/test.v1.Kinds/Count', encoded('CountRequest', { to: 20 }), { streams: true });
    expect(told).toMatchObject({ code: 0 });
    expect(told.messages).toHaveLength(20);
  });

  it('hears the status of the service, and those of the gateway', async () => {
    service.refusal = { code: status.NOT_FOUND, details: 'no such thing' } satisfies Refusal;
    expect(await ask('/test.v1.Kinds/Echo', Buffer.from('hi'))).toMatchObject({
      code: 5,
      text: 'no such thing',
    });
    service.reset();
    expect(await ask('/test.v1.Kinds/Echo', Buffer.from('hi'), { prefix: '/shut' })).toMatchObject({
      code: 16,
      text: 'This route needs credentials',
    });
  });
});
