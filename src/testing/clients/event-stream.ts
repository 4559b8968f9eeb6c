import type { IncomingMessage } from 'node:http';
import { TestingError } from '../testing-error.ts';
import { inTime, Mailbox } from './mailbox.ts';

/** An event (HTML, section 9.2.6). */
export interface StreamEvent {
  /** Default `message`. */
  readonly event: string;
  readonly data: string;
  readonly id: string | undefined;
  /** The data, parsed. @throws {TestingError} when it is no JSON. */
  json<Data = unknown>(): Data;
}

type Drive = <Result>(work: Promise<Result>) => Promise<Result>;

/** A stream of events that a client reads one by one. */
export class EventStream {
  readonly #incoming: IncomingMessage;
  readonly #drive: Drive;
  readonly #events = new Mailbox<StreamEvent>();

  /** @param drive has time move on while somebody waits. */
  constructor(incoming: IncomingMessage, drive: Drive) {
    this.#incoming = incoming;
    this.#drive = drive;
    const reader = new EventReader((event) => this.#events.push(event));
    incoming.setEncoding('utf8');
    incoming.on('data', (text: string) => reader.read(text));
    incoming.on('error', () => undefined).once('close', () => this.#events.end());
  }

  /** The next event; undefined where the stream has ended. @throws {TestingError} when none comes for 5 s. */
  next(): Promise<StreamEvent | undefined> {
    return inTime(this.#drive(this.#events.next()), 'the next event');
  }

  /** All events up to its end. */
  async rest(): Promise<readonly StreamEvent[]> {
    const events: StreamEvent[] = [];
    for await (const event of this) events.push(event);
    return events;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StreamEvent> {
    for (let event = await this.next(); event !== undefined; event = await this.next()) yield event;
  }

  /** Leaves. */
  close(): void {
    this.#incoming.destroy();
  }
}

/** Takes a text apart that comes in pieces. */
class EventReader {
  readonly #push: (event: StreamEvent) => void;
  #rest = '';
  #event = '';
  #data: string[] = [];
  #id: string | undefined = undefined;

  constructor(push: (event: StreamEvent) => void) {
    this.#push = push;
  }

  read(text: string): void {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    if (line === '') return this.#dispatch();
    const [, name = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === 'data') this.#data.push(value);
    else if (name === 'event') this.#event = value;
    else if (name === 'id') this.#id = value;
  }

  #dispatch(): void {
    const [data, event] = [this.#data.join('\n'), this.#event];
    const isEmpty = this.#data.length === 0;
    [this.#data, this.#event] = [[], ''];
    if (isEmpty) return;
    const json = <Data>(): Data => parsed(data) as Data;
    this.#push({ event: event === '' ? 'message' : event, data, id: this.#id, json });
  }
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    throw new TestingError(`the data of the event is no JSON: ${data.slice(0, 200)}`);
  }
}
