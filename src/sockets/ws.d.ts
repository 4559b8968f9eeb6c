/** The part of `ws` that the gateway uses; the package brings no types of its own. */
declare module 'ws' {
  import type { EventEmitter } from 'node:events';
  import type { IncomingMessage } from 'node:http';
  import type { Duplex } from 'node:stream';

  export class WebSocket extends EventEmitter {
    constructor(
      address: string,
      protocols?: string | string[],
      options?: { headers?: Record<string, string> },
    );
    readonly OPEN: 1;
    readonly readyState: 0 | 1 | 2 | 3;
    readonly protocol: string;
    readonly isPaused: boolean;
    /** What was sent and is not out yet, in bytes. */
    readonly bufferedAmount: number;
    on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): this;
    on(event: 'close', listener: (code: number, reason: Buffer) => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
    on(event: 'open', listener: () => void): this;
    on(event: 'ping' | 'pong', listener: (payload: Buffer) => void): this;
    on(event: 'unexpected-response', listener: (request: unknown, response: IncomingMessage) => void): this;
    once(event: 'close', listener: (code: number, reason: Buffer) => void): this;
    send(data: string | Buffer, callback?: (error?: Error) => void): void;
    send(data: string | Buffer, options: { binary?: boolean }, callback?: (error?: Error) => void): void;
    ping(): void;
    pong(payload: Buffer, mask: boolean, callback: () => void): void;
    pause(): void;
    resume(): void;
    close(code?: number, reason?: string): void;
    terminate(): void;
  }

  export class WebSocketServer extends EventEmitter {
    constructor(options: {
      noServer: true;
      clientTracking: boolean;
      maxPayload: number;
      perMessageDeflate: boolean;
      autoPong: boolean;
      allowSynchronousEvents: boolean;
      closeTimeout: number;
      handleProtocols?: (protocols: Set<string>) => string | false;
    });
    on(event: 'headers', listener: (lines: string[], request: IncomingMessage) => void): this;
    on(
      event: 'wsClientError',
      listener: (error: Error, socket: Duplex, request: IncomingMessage) => void,
    ): this;
    handleUpgrade(
      request: IncomingMessage,
      socket: Duplex,
      head: Buffer,
      callback: (socket: WebSocket) => void,
    ): void;
  }
}
