import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { PATIENCE_MS, readAnswer, SteadyLoad, type Answered } from '../steady-load.ts';

/**
 * The same steady load over HTTP/2 without TLS, by prior knowledge, on one connection: another one is opened when a GOAWAY
 * has ended it.
 *
 * A request that was certainly not begun with, which its client may repeat (RFC 9113 section 8.7), is a kind of its own: its stream ended
 * with REFUSED_STREAM, which Node also says of those above the last stream of a GOAWAY. It has failed all the same, for nobody repeats it here.
 */
export class Http2SteadyLoad extends SteadyLoad {
  #session: ClientHttp2Session | undefined = undefined;

  override async stop(): Promise<void> {
    await super.stop();
    this.#session?.destroy();
  }

  protected override once(): Promise<Answered> {
    const { method, headers, body, read = readAnswer } = this.options;
    const { pathname } = new URL(this.url);
    const askedAt = Date.now();
    return new Promise((resolve) => {
      const broke = (kind: string): void => resolve({ kind, servedBy: undefined });
      const stream = this.#usable().request({
        ':method': method ?? (body === undefined ? 'GET' : 'POST'),
        ':path': pathname,
        ...headers?.(),
      });
      let [text, status] = ['', 0];
      stream.once('response', ({ ':status': given }) => void (status = given ?? 0));
      stream.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      stream.setTimeout(PATIENCE_MS, () => broke('no answer'));
      stream.once('error', ({ message }) =>
        broke(isRefused(stream) ? 'not begun with, may be repeated' : message),
      );
      stream.once('close', () =>
        isWhole(stream, status)
          ? resolve(read({ statusCode: status, headers: {} }, text, askedAt))
          : broke(`cut after ${status}`),
      );
      stream.end(body);
    });
  }

  #usable(): ClientHttp2Session {
    const last = this.#session;
    if (last !== undefined && !last.closed && !last.destroyed) return last;
    const session = connect(this.url);
    // What it means for requests is told to each of them.
    session.on('error', () => undefined);
    // Those under way are answered; nothing new is asked here.
    session.on('goaway', () => session.close());
    this.#session = session;
    return session;
  }
}

function isRefused({ rstCode }: ClientHttp2Stream): boolean {
  return rstCode === constants.NGHTTP2_REFUSED_STREAM;
}

function isWhole({ rstCode }: ClientHttp2Stream, status: number): boolean {
  return rstCode === 0 && status > 0;
}
