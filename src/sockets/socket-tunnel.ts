import { EventEmitter } from 'node:events';
import type { ByteEnd } from './byte-end.ts';
import { ABNORMAL, closeFrame } from './frame.ts';
import type { FrameFault, FrameLimits } from './frame-scanner.ts';
import { endConnection } from './last-word.ts';
import { CloseCode, type Leaver } from './live-socket.ts';
import { TunnelFlow, type FlowHost, type FlowOptions } from './tunnel-flow.ts';

/** How a tunnel is bounded. */
export interface TunnelOptions extends Omit<FrameLimits, 'isMasked'>, Omit<FlowOptions, 'charge'> {
  /** Without data of a message from either end, in ms. */
  readonly idleMs: number;
}

/** Who hears of a tunnel. */
export interface TunnelHost {
  /** Asks whether a message of the client may travel on: at once, later, or never. Absent: always. */
  readonly charge?: FlowOptions['charge'];
  /** Hears that a message of a client may not travel on. @returns after how long to ask again, in ms, or how to end. */
  refused(error: unknown): number | { readonly code: number; readonly reason: string };
  /** Hears what came in one read. */
  passed(from: 'client' | 'upstream', messages: number, bytes: number): void;
}

/** How long the ends have to answer a goodbye, and to close. */
const GRACE_MS = 1000;
/** How long one end has to answer the goodbye of the other: it may have something to say before. */
const ANSWER_MS = 5000;

/** What one end is told. */
interface Goodbye {
  readonly code: number;
  readonly reason: string;
}

/**
 * A WebSocket between a client and a service, as frames that pass: what one end says reaches the other in order, pings and
 * goodbyes with their codes too. What the gateway has to say stands between frames.
 */
export class SocketTunnel extends EventEmitter<{ close: [] }> implements Leaver, FlowHost {
  /** From the client, and to it. */
  readonly up: TunnelFlow;
  readonly down: TunnelFlow;
  /** Who has ended it, and with which code of RFC 6455 section 7.4. */
  by: 'client' | 'upstream' | 'gateway' | undefined = undefined;
  code = ABNORMAL;
  readonly #host: TunnelHost;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #idle: NodeJS.Timeout;
  readonly #ending = new Set<ByteEnd>();
  /** Whether both ends were told, or are gone: what still comes is looked at for a goodbye only. */
  #isConcluded = false;
  #open = 2;

  constructor(ends: { client: ByteEnd; upstream: ByteEnd }, options: TunnelOptions, host: TunnelHost) {
    super();
    this.#host = host;
    const { client, upstream } = ends;
    const charged = { ...options, charge: host.charge };
    this.up = new TunnelFlow({ from: client, to: upstream }, { ...options, isMasked: true }, charged, this);
    this.down = new TunnelFlow(
      { from: upstream, to: client },
      { ...options, isMasked: false },
      options,
      this,
    );
    this.#idle = setTimeout(() => this.close(CloseCode.goingAway, 'Idle'), options.idleMs);
  }

  /** Starts to read both ends. */
  start(): void {
    this.up.start((ping) => this.down.scanner.insert(ping));
    this.down.start((ping) => this.up.scanner.insert(ping));
  }

  /** Closes it after a time, unless it is closed by then. */
  after(ms: number, code: number, reason: string): void {
    if (ms !== Infinity) this.#timers.add(setTimeout(() => this.close(code, reason), ms));
  }

  /** Says goodbye to both ends: to the client with this code, to the service with 1001. Who does not answer is cut off. */
  close(code: number, reason: string): void {
    this.#conclude({ code, reason }, { code: CloseCode.goingAway, reason });
  }

  /** Cuts both ends off. */
  terminate(): void {
    this.up.from.socket.destroy();
    this.down.from.socket.destroy();
  }

  passed(flow: TunnelFlow, messages: number, bytes: number): void {
    this.#host.passed(flow.name, messages, bytes);
  }

  moved(): void {
    if (!this.#isConcluded) this.#idle.refresh();
  }

  refused(error: unknown): number | undefined {
    const end = this.#host.refused(error);
    if (typeof end === 'number') return end;
    this.close(end.code, end.reason);
    return undefined;
  }

  faulted(flow: TunnelFlow, { code, message }: FrameFault): void {
    const said = { code, reason: message };
    if (flow === this.up) this.#conclude(said, { code: CloseCode.goingAway, reason: '' });
    // What is too big is so for the client as well; all else is the fault of the service.
    else
      this.#conclude(
        code === CloseCode.tooBig ? said : { code: CloseCode.internal, reason: 'Invalid frame' },
        said,
      );
    // Its goodbye would not be heard.
    if (this.#other(flow).scanner.isBetween) this.#end(flow.from);
  }

  saidGoodbye(flow: TunnelFlow): void {
    if (this.#isConcluded) return this.#end(flow.from);
    this.#note(flow.name, flow.code ?? ABNORMAL);
    if (this.#other(flow).scanner.isOver) return this.#endBoth();
    clearTimeout(this.#idle);
    this.#timers.add(setTimeout(() => this.terminate(), ANSWER_MS));
  }

  ended(flow: TunnelFlow): void {
    if (this.#isConcluded) return this.#end(flow.from);
    if (!flow.scanner.isOver) return this.#lost(flow);
    // Who has said all that he had to say still hears the answer to it: browsers end their side of a stream before.
    if (this.#other(flow).scanner.isOver) this.#endBoth();
  }

  closed(flow: TunnelFlow): void {
    this.ended(flow);
    this.#open -= 1;
    if (this.#open > 0) return;
    for (const timer of [this.#idle, ...this.#timers]) clearTimeout(timer);
    this.up.end();
    this.down.end();
    this.emit('close');
  }

  stalled(): void {
    this.#note('gateway', ABNORMAL);
    this.terminate();
  }

  vanished(flow: TunnelFlow): void {
    flow.from.socket.destroy();
  }

  #conclude(toClient: Goodbye, toUpstream: Goodbye): void {
    if (this.#isConcluded) return;
    this.#note('gateway', toClient.code);
    this.up.scanner.finish(closeFrame(toUpstream.code, toUpstream.reason, true));
    this.down.scanner.finish(closeFrame(toClient.code, toClient.reason, false));
    this.#concluded();
    for (const { scanner, from } of [this.up, this.down]) if (scanner.isOver) this.#end(from);
  }

  // An end that left without a goodbye: 1006 never goes over the wire (RFC 6455 section 7.4.1), so that the other one is told why.
  #lost(flow: TunnelFlow): void {
    this.#note(flow.name, ABNORMAL);
    flow.from.socket.destroy();
    const isClient = flow === this.up;
    // In the middle of a frame nothing can be said.
    if (!flow.scanner.isBetween) flow.to.socket.destroy();
    else if (this.#other(flow).scanner.isOver) this.#end(flow.to);
    else if (isClient) flow.scanner.finish(closeFrame(CloseCode.goingAway, 'The client has left', true));
    else flow.scanner.finish(closeFrame(CloseCode.internal, 'The service has left', false));
    this.#concluded();
  }

  #concluded(): void {
    this.#isConcluded = true;
    clearTimeout(this.#idle);
    this.#timers.add(setTimeout(() => this.terminate(), GRACE_MS));
    this.up.conclude();
    this.down.conclude();
  }

  #note(by: 'client' | 'upstream' | 'gateway', code: number): void {
    if (this.by !== undefined) return;
    this.by = by;
    this.code = code;
  }

  #endBoth(): void {
    this.#end(this.up.from);
    this.#end(this.down.from);
  }

  #end(end: ByteEnd): void {
    if (this.#ending.has(end)) return;
    this.#ending.add(end);
    endConnection(end.socket);
  }

  #other(flow: TunnelFlow): TunnelFlow {
    return flow === this.up ? this.down : this.up;
  }
}
