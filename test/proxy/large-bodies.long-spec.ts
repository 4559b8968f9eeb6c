import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { FREE_PORTS, startSampleServices, type SampleServices } from '../../examples/services/start.ts';
import { ensureBuilt, startChild, type ChildGateway } from '../support/child.ts';
import { call, open } from '../support/client.ts';
import { shopConfig } from '../support/shop.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const MEGABYTE = 2 ** 20;
/** Ten gigabytes are moved by `npm run bodies`. */
const SIZE = 256 * MEGABYTE;
/** What V8 may let its young generation and socket buffers grow by; a buffered body is five times as much. */
const MEMORY_ALLOWANCE = 96 * MEGABYTE;
const BLOCK = Buffer.alloc(MEGABYTE, 'gatehouse ');

let folder: string;
let services: SampleServices;
let echo: TestUpstream;
let gateway: ChildGateway;

beforeAll(async () => {
  await ensureBuilt();
  [services, echo] = await Promise.all([
    startSampleServices({ ports: FREE_PORTS, quiet: true }),
    startUpstream(),
  ]);
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-e2e-'));
  const routes = [
    {
      id: 'files',
      match: { path: '/*' },
      upstream: 'payments',
      // As long as the machine takes.
      policies: { authentication: 'public', deadline: 'off' },
    },
  ];
  writeFileSync(join(folder, 'gateway.yaml'), JSON.stringify(shopConfig(services, echo, { routes })));
  gateway = await startChild(join(folder, 'gateway.yaml'));
  // The first transfers make the process as large as it is going to be.
  for (let i = 0; i < 2; i += 1) {
    await call(`${gateway.url}/uploads/warm`, { method: 'PUT', body: Readable.from(blocks(32)) });
    await call(`${gateway.url}/downloads/${32 * MEGABYTE}`);
  }
}, 90_000);

afterAll(async () => {
  await gateway.end();
  await Promise.all([services.stop(), echo.stop()]);
  rmSync(folder, { recursive: true });
});

function* blocks(count: number): Generator<Buffer> {
  for (let i = 0; i < count; i += 1) yield BLOCK;
}

/** The most memory that the gateway takes while something is under way, sampled every few ms. */
async function peakDuring(work: Promise<unknown>): Promise<number> {
  let peak = gateway.memory();
  const timer = setInterval(() => (peak = Math.max(peak, gateway.memory())), 5);
  await work;
  clearInterval(timer);
  return peak;
}

describe('half a gigabyte', () => {
  it('is uploaded in a stream: every byte arrives, memory stays flat', async () => {
    const before = gateway.memory();
    const hash = createHash('sha256');
    for (const block of blocks(SIZE / MEGABYTE)) hash.update(block);
    const headers = { 'content-length': String(SIZE) };
    const body = Readable.from(blocks(SIZE / MEGABYTE));
    const uploading = call(`${gateway.url}/uploads/large`, { method: 'PUT', headers, body });
    const peak = await peakDuring(uploading);
    expect((await uploading).json()).toEqual({ bytes: SIZE, sha256: hash.digest('hex') });
    expect(peak - before).toBeLessThan(MEMORY_ALLOWANCE);
  }, 180_000);

  it('is downloaded by a slow reader: the upstream is held back, memory stays flat', async () => {
    const before = gateway.memory();
    services.payments.traffic.sent = 0;
    const incoming = await open(`${gateway.url}/downloads/${SIZE}`);
    const stalled = new Promise<void>((resolve) => {
      // Nobody reads: it has stalled when the upstream has sent nothing more for a while.
      let last = -1;
      const timer = setInterval(() => {
        if (last === services.payments.traffic.sent) resolve(clearInterval(timer));
        last = services.payments.traffic.sent;
      }, 250);
    });
    expect((await peakDuring(stalled)) - before).toBeLessThan(MEMORY_ALLOWANCE);
    // What the socket buffers of three hops hold; the rest waits at its source.
    expect(services.payments.traffic.sent).toBeLessThan(SIZE / 2);
    let bytes = 0;
    incoming.on('data', (chunk: Buffer) => (bytes += chunk.length));
    expect((await peakDuring(once(incoming, 'end'))) - before).toBeLessThan(MEMORY_ALLOWANCE);
    expect(bytes).toBe(SIZE);
  }, 180_000);
});
