import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { once } from 'node:events';
import { createServer, type Http2Server, type Http2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { cancelCall } from './cancel-call.ts';
import { CHANNEL_OPTIONS } from './counted-channel.ts';
import { asIs, type ByteCall } from './stream-run.ts';

/** A service that hears of calls and never answers them; by path, those that are open. */
const open = new Map<string, Http2Stream>();
const seen: string[] = [];
let server: Http2Server;
let client: Client;

beforeEach(async () => {
  open.clear();
  seen.length = 0;
  server = createServer();
  server.on('stream', (stream, { ':path': path = '' }) => {
    seen.push(path);
    open.set(path, stream);
    stream.on('error', () => undefined).on('close', () => open.delete(path));
    stream.resume();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  client = new Client(`dns:127.0.0.1:${port}`, credentials.createInsecure(), CHANNEL_OPTIONS);
});
afterEach(async () => {
  for (const stream of open.values()) stream.close();
  client.close();
  server.close();
  await once(server, 'close');
});

function start(path: string): ByteCall {
  const call: ByteCall = client.makeBidiStreamRequest(path, asIs, asIs, new Metadata(), {});
  return call.on('error', () => undefined);
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5);
}

describe('cancelCall', () => {
  it('ends a call that the service has seen', async () => {
    const call = start('/seen');
    await until(() => open.has('/seen'));
    cancelCall(call);
    await until(() => open.size === 0);
  });

  it('leaves no stream of a call that was made in the same turn, over a connection that stands', async () => {
    const before = start('/before');
    await until(() => open.has('/before'));
    const call = start('/given-up');
    call.write(Buffer.from('x'));
    cancelCall(call);
    const after = start('/after');
    // What was sent before it on the same connection has come when this one has.
    await until(() => open.has('/after'));
    await until(() => !open.has('/given-up'));
    cancelCall(before);
    cancelCall(after);
    await until(() => open.size === 0);
  });

  it('sends nothing of a call that was made in the same turn, while the connection is still to be made', async () => {
    cancelCall(start('/given-up'));
    const after = start('/after');
    await until(() => open.has('/after'));
    expect(seen).toEqual(['/after']);
    cancelCall(after);
    await until(() => open.size === 0);
  });
});
