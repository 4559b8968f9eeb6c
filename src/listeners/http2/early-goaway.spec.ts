import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import {
  END_HEADERS,
  END_STREAM,
  frame,
  FRAME,
  FrameClient,
  head,
} from '../../../test/support/http2-frames.ts';
import { sendEarlyGoaway } from './early-goaway.ts';

/** More than the system takes of one connection. */
const MUCH = Buffer.alloc(2 ** 26);

let server: Http2Server;
let client: FrameClient;
let session: ServerHttp2Session;

beforeEach(async () => {
  server = createServer().listen(0, '127.0.0.1');
  server.on('sessionError', () => undefined);
  await once(server, 'listening');
  client = new FrameClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  [session] = (await once(server, 'session')) as [ServerHttp2Session];
});

afterEach(() => {
  client.socket.destroy();
  server.close();
});

describe('the first of two GOAWAY frames', () => {
  it('names a stream that nobody can reach, and comes after SETTINGS', async () => {
    expect(sendEarlyGoaway(session)).toBe(false);
    await client.until(() => client.count(FRAME.settings) > 0);
    expect(sendEarlyGoaway(session)).toBe(true);
    await client.until(() => client.count(FRAME.goaway) > 0);
    expect(client.frames.at(-1)?.payload).toEqual(Buffer.of(0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0));
  });

  it('does not go in the middle of what a client has not taken yet', async () => {
    client.socket.pause();
    const windows = [0, 1].map((id) => frame(FRAME.windowUpdate, 0, id, Buffer.of(0x7f, 0, 0, 0)));
    const asked = once(server, 'stream');
    client.socket.write(
      Buffer.concat([
        frame(FRAME.headers, END_HEADERS | END_STREAM, 1, head('/')),
        windows[0] as Buffer,
        windows[1] as Buffer,
      ]),
    );
    const [stream] = (await asked) as [ServerHttp2Stream];
    stream.on('error', () => undefined);
    stream.respond({ ':status': 200 });
    stream.write(MUCH);
    await client.until(() => stream.writableLength > 0);
    const handle = session.socket as unknown as { readonly _handle: { readonly writeQueueSize: number } };
    await client.until(() => handle._handle.writeQueueSize > 0);
    expect(sendEarlyGoaway(session)).toBe(false);
  });

  it('is not sent on a connection that is over', async () => {
    const closed = once(session, 'close');
    await client.until(() => client.count(FRAME.settings) > 0);
    client.socket.destroy();
    await closed;
    expect(sendEarlyGoaway(session)).toBe(false);
  });
});
