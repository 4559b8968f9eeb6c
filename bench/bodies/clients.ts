import { once } from 'node:events';
import { request as startRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SteadyLoad } from '../steady-load.ts';

const PIECE = Buffer.alloc(256 * 1024, 'x');
const PER_SECOND = 100;

/** Asks for a body of any length; resolves to the bytes that came. */
export async function download(origin: string, path: string): Promise<number> {
  const request = startRequest(`${origin}${path}`, { agent: false });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let bytes = 0;
  response.on('data', (piece: Buffer) => (bytes += piece.length));
  await once(response, 'end');
  return bytes;
}

/** Sends a body, with its length or in chunks; resolves to the bytes that the service counted. */
export async function upload(
  origin: string,
  path: string,
  bytes: number,
  declared: boolean,
): Promise<number> {
  const headers = declared ? { 'content-length': bytes } : {};
  const request = startRequest(`${origin}${path}`, { method: 'PUT', headers, agent: false });
  await pour(request, bytes);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  await once(response, 'end');
  return Number(text);
}

async function pour(request: ClientRequest, bytes: number): Promise<void> {
  for (let left = bytes; left > 0; left -= PIECE.length) {
    const piece = left < PIECE.length ? PIECE.subarray(0, left) : PIECE;
    if (!request.write(piece)) await once(request, 'drain');
  }
  request.end();
}

/** Makes a hundred requests a second; a request counts from when it was due. @returns how long each took, in ms. */
export async function steadyLoad(url: string, forMs: number): Promise<number[]> {
  const load = new SteadyLoad(url, { perSecond: PER_SECOND }).start();
  await sleep(forMs);
  await load.stop();
  const bad = load.seen.find(({ kind }) => kind !== '200');
  if (bad !== undefined) throw new Error(`${url} answered ${bad.kind}`);
  return load.seen.map(({ ms }) => ms);
}

/** Opens connections, each of which has asked once and then rests. */
export async function openIdle(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let turn = 0; turn < count; turn += 1) {
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /quick HTTP/1.1\r\nHost: gateway\r\n\r\n');
    await once(socket, 'data');
    sockets.push(socket.resume());
  }
  return sockets;
}
