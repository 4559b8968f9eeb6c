import { WebSocket } from 'ws';
import { TestingError } from '../testing-error.ts';
import { RefusedError } from './answer.ts';
import { inTime, Mailbox } from './mailbox.ts';
import { readAll } from './send.ts';

/** A message of a WebSocket. */
export interface SocketMessage {
  readonly isBinary: boolean;
  readonly bytes: Buffer;
  readonly text: string;
  /** The message, parsed. @throws {TestingError} when it is no JSON. */
  json<Message = unknown>(): Message;
}

/** How a connection has ended. */
export interface SocketEnd {
  readonly code: number;
  readonly reason: string;
}

/** How a WebSocket is opened. */
export interface SocketOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly protocols?: readonly string[];
}

type Drive = <Result>(work: Promise<Result>) => Promise<Result>;

/** A WebSocket whose messages a client reads one by one. */
export class TestSocket {
  readonly #socket: WebSocket;
  readonly #drive: Drive;
  readonly #messages = new Mailbox<SocketMessage>();
  readonly #ended: Promise<SocketEnd>;

  /** @throws {RefusedError} with the answer when the handshake is refused. */
  static async open(url: string, options: SocketOptions, drive: Drive): Promise<TestSocket> {
    const { headers = {}, protocols = [] } = options;
    const socket = new WebSocket(url, [...protocols], { headers });
    const opened = new TestSocket(socket, drive);
    await inTime(drive(handshake(socket)), 'the WebSocket to open');
    return opened;
  }

  /** @param drive has time move on while somebody waits. */
  constructor(socket: WebSocket, drive: Drive) {
    this.#socket = socket;
    this.#drive = drive;
    socket.on('message', (data: Buffer, isBinary) => {
      const text = data.toString();
      const json = <Message>(): Message => parsed(text) as Message;
      this.#messages.push({ isBinary, bytes: data, text, json });
    });
    socket.on('error', () => undefined);
    this.#ended = new Promise((resolve) => {
      socket.once('close', (code, reason) => {
        this.#messages.end();
        resolve({ code, reason: reason.toString() });
      });
    });
  }

  /** The subprotocol that was agreed on; empty for none. */
  get protocol(): string {
    return this.#socket.protocol;
  }

  /** Sends a text or bytes as they are, anything else as JSON. */
  send(message: unknown): void {
    if (message instanceof Uint8Array) this.#socket.send(Buffer.from(message));
    else this.#socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** The next message; undefined where the connection has ended. @throws {TestingError} when none comes for 5 s. */
  next(): Promise<SocketMessage | undefined> {
    return inTime(this.#drive(this.#messages.next()), 'the next message');
  }

  /** How the connection has ended. @throws {TestingError} when it does not for 5 s. */
  ended(): Promise<SocketEnd> {
    return inTime(this.#drive(this.#ended), 'the WebSocket to end');
  }

  /** Leaves, and waits for the other side. */
  close(code = 1000, reason = ''): Promise<SocketEnd> {
    this.#socket.close(code, reason);
    return this.ended();
  }

  /** Ends the connection without a word. */
  terminate(): void {
    this.#socket.terminate();
  }
}

function handshake(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on('open', resolve);
    socket.on('error', (error) => {
      reject(new TestingError(`the WebSocket was not opened: ${error.message}`, { cause: error }));
    });
    socket.on('unexpected-response', (_request, response) => {
      readAll(response).then((answer) => reject(new RefusedError('the WebSocket', answer)), reject);
    });
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TestingError(`the message is no JSON: ${text.slice(0, 200)}`);
  }
}
