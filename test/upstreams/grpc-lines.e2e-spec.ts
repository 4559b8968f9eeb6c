import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt, startChild } from '../support/child.ts';
import { call } from '../support/client.ts';

let folder: string;
let target: Http2Server;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-grpc-'));
  await ensureBuilt();
  // A field that is no metadata: grpc-js has something to say about it.
  target = createServer();
  target.on('stream', (stream: ServerHttp2Stream) => {
    const fields = { ':status': 200, 'content-type': 'application/grpc', 'x-odd': 'secret caf\u00e9' };
    stream.respond(fields, { waitForTrailers: true });
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '14', 'grpc-message': 'broken' }));
    stream.end();
  });
  target.listen(0, '127.0.0.1');
  await once(target, 'listening');
}, 60_000);
afterAll(() => {
  target.close();
  rmSync(folder, { recursive: true });
});

describe('a gateway with a broken gRPC target', () => {
  it('writes JSON lines and nothing else', async () => {
    const file = join(folder, 'gateway.yaml');
    writeFileSync(
      file,
      `
version: 1
defaults: { policies: { authentication: public } }
upstreams:
  notifications:
    protocol: grpc
    descriptorSet: '${join(process.cwd(), 'config/descriptors/shop.binpb')}'
    targets: ['grpc://127.0.0.1:${(target.address() as AddressInfo).port}']
routes:
  - { id: watch, upstream: notifications, grpc: { service: shop.v1.Notifications } }
`,
    );
    const gateway = await startChild(file, { GRPC_VERBOSITY: 'DEBUG' });
    let raw = '';
    gateway.process.stderr?.on('data', (bytes: Buffer) => (raw += bytes.toString()));
    // The head of the stream is good: the answer has begun when it breaks.
    await expect(call(`${gateway.url}/api/v3/notifications:watch?user_id=1`)).rejects.toThrow();
    await gateway.end();
    expect(raw).toBe('');
    // `lines` parses each of them.
    const said = gateway.lines().filter((line) => line.msg === 'grpc-js');
    expect(said).toMatchObject([{ level: 40, grpc: expect.stringContaining('metadata entry x-odd') }]);
    expect(JSON.stringify(gateway.lines())).not.toContain('secret');
  });
});
