import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { WebSocket } from 'ws';

/** What a client over HTTP/2 says to open a WebSocket (RFC 8441 section 5). */
export interface TunnelOpening {
  /** Over what it says besides. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly protocols?: readonly string[];
}

/** The answer to a handshake over HTTP/2, and the stream that it came over. */
export interface Handshake {
  readonly stream: ClientHttp2Stream;
  readonly head: IncomingHttpHeaders & { readonly ':status'?: number };
}

/** A WebSocket over HTTP/2, and all that its client heard. */
export interface TunnelClient extends Handshake {
  readonly socket: WebSocket;
  readonly heard: string[];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

/** Waits until a connection knows that its server opens tunnels; a client may not ask before. */
export async function allowsTunnels(session: ClientHttp2Session): Promise<boolean> {
  if (session.pendingSettingsAck || session.connecting || session.remoteSettings.maxFrameSize === undefined)
    await new Promise((resolve) => session.once('remoteSettings', resolve));
  return session.remoteSettings.enableConnectProtocol === true;
}

/** Asks for a tunnel. */
export async function askForTunnel(
  session: ClientHttp2Session,
  path: string,
  { headers = {}, protocols = [] }: TunnelOpening = {},
): Promise<Handshake> {
  if (!session.remoteSettings.enableConnectProtocol) await allowsTunnels(session);
  const offered = protocols.length === 0 ? {} : { 'sec-websocket-protocol': protocols.join(', ') };
  const stream = session.request(
    {
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':scheme': session.encrypted ? 'https' : 'http',
      ':path': path,
      'sec-websocket-version': '13',
      ...offered,
      ...headers,
    },
    { endStream: false },
  );
  stream.on('error', () => {});
  const head = await new Promise<IncomingHttpHeaders>((resolve, reject) => {
    stream.once('response', resolve);
    stream.once('close', () => reject(new Error(`closed with ${stream.rstCode}`)));
  });
  return { stream, head };
}

/** Opens a WebSocket over HTTP/2; the frames are those of the library that most clients use. */
export async function openTunnel(
  session: ClientHttp2Session,
  path: string,
  opening?: TunnelOpening,
): Promise<TunnelClient> {
  const handshake = await askForTunnel(session, path, opening);
  const status = handshake.head[':status'];
  if (status !== 200) throw new Error(`answered with ${status}`);
  const heard: string[] = [];
  const socket = new (WebSocket as unknown as new (...given: unknown[]) => WebSocket)(null, undefined, {
    autoPong: true,
    closeTimeout: 1000,
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
  socket.on('error', () => {});
  socket.on('message', (data) => void heard.push(String(data)));
  socket.on('ping', (data) => void heard.push(`ping:${String(data)}`));
  socket.on('pong', (data) => void heard.push(`pong:${String(data)}`));
  // It only makes handshakes of HTTP/1.1 itself.
  Object.assign(socket, { _isServer: false });
  const { setSocket } = socket as unknown as { setSocket(...given: unknown[]): void };
  setSocket.call(socket, handshake.stream, Buffer.alloc(0), {
    allowSynchronousEvents: true,
    maxPayload: 2 ** 24,
  });
  return { ...handshake, socket, heard, closed };
}

/** The body of an answer that opens nothing, as JSON. */
export async function refusalOf({ stream, head }: Handshake): Promise<{
  readonly status: number | undefined;
  readonly code: unknown;
}> {
  let text = '';
  stream.end();
  for await (const chunk of stream) text += String(chunk);
  return {
    status: head[':status'],
    code: text === '' ? undefined : (JSON.parse(text) as { code: unknown }).code,
  };
}
