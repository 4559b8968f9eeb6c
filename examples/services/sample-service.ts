import { freePort } from '../../src/listeners/free-port.ts';
import type { Fault } from './fault.ts';
import { RequestCounter } from './request-counter.ts';

/** Where a service listens. */
export interface ServiceOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** The address to bind; `127.0.0.1` by default. */
  readonly host?: string;
}

/** One open listening socket. */
export interface Listening {
  readonly port: number;
  /** Stops listening and destroys open connections; resolves when the port is free. */
  close(): Promise<void>;
}

/** A real server with a fault switch: what HTTP and gRPC sample services have in common. */
export abstract class SampleService {
  readonly name: string;
  readonly host: string;
  readonly requests = new RequestCounter();
  readonly #scheme: string;
  #port: number;
  #mode: Fault = 'none';
  #listening: Listening | undefined;
  #stopped = false;
  #settled: Promise<void> = Promise.resolve();

  constructor(name: string, scheme: string, options: ServiceOptions) {
    this.name = name;
    this.host = options.host ?? '127.0.0.1';
    this.#scheme = scheme;
    this.#port = options.port ?? 0;
  }

  /** The port it listens on, or listened on before it was `dead`. */
  get port(): number {
    return this.#port;
  }

  /** The address to call it at, for example `http://127.0.0.1:4101` or `grpc://127.0.0.1:4201`. */
  get url(): string {
    const host = this.host === '0.0.0.0' ? '127.0.0.1' : this.host;
    return `${this.#scheme}://${host}:${this.#port}`;
  }

  /** How it misbehaves at present. */
  get mode(): Fault {
    return this.#mode;
  }

  /** Opens one listening socket; rejects with the system's error, such as EADDRINUSE. */
  protected abstract listen(host: string, port: number): Promise<Listening>;

  /**
   * Starts listening.
   *
   * @throws {Error} in one line that names the service and the port, when it cannot.
   */
  async start(): Promise<this> {
    await this.#settle();
    return this;
  }

  /**
   * Switches the fault. Requests see it at once; the promise waits for the socket, which only `dead`
   * closes and any other mode opens again on the same port.
   */
  fault(mode: Fault): Promise<void> {
    this.#mode = mode;
    return this.#change();
  }

  /** Stops for good and destroys open connections. A second call does nothing. */
  stop(): Promise<void> {
    this.#stopped = true;
    return this.#change();
  }

  #change(): Promise<void> {
    // One change after the other, each towards what is wanted by then; a failed one does not block the next.
    const change = this.#settled.then(() => this.#settle());
    this.#settled = change.catch(() => undefined);
    return change;
  }

  async #settle(): Promise<void> {
    const wanted = !this.#stopped && this.#mode !== 'dead';
    const listening = this.#listening;
    if (wanted && listening === undefined) {
      this.#listening = await this.#open();
      this.#port = this.#listening.port;
    } else if (!wanted && listening !== undefined) {
      this.#listening = undefined;
      await listening.close();
    }
  }

  async #open(): Promise<Listening> {
    try {
      // One that it finds again when it was `dead`.
      if (this.#port === 0) this.#port = await freePort(this.host);
      return await this.listen(this.host, this.#port);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const reason = code === 'EADDRINUSE' ? 'already in use' : `not usable on ${this.host}: ${message}`;
      throw new Error(`sample service ${this.name}: port ${this.#port} is ${reason}`, { cause: error });
    }
  }
}
