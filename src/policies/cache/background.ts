import { ServerResponse } from 'node:http';
import type { AnswerSink, ForwardedHead } from '../../exchange/answer-sink.ts';
import { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import { forkTrace } from '../../telemetry/trace-context.ts';
import { requestLike, unreadResponse, type HandlerRuns } from './handler-runs.ts';
import { Recording } from './recording.ts';

/** How many requests are under way in the background at once, for all routes; more are left to the next client. */
const MAX_IN_BACKGROUND = 128;
const LONGEST_MS = 30_000;

/** Asks upstreams anew while clients are answered with what is stored: once for each key, and for so many at a time. */
export class Background {
  readonly #under = new Set<string>();
  readonly #handlers: HandlerRuns | undefined;

  /** @param handlers runs those of the code-first door. Default: nobody does, and their answers stay as they are. */
  constructor(handlers?: HandlerRuns) {
    this.#handlers = handlers;
  }

  /**
   * Asks for what an exchange has asked for, through its route, past its stages, which it has met.
   *
   * @param record makes what keeps the answer to the exchange that it is given; undefined when nobody has to be asked any more.
   */
  ask(key: string, exchange: Exchange, record: (shadow: Exchange) => Recorded): void {
    const { route } = exchange;
    // The answer to a HEAD has no body that could be kept.
    if (exchange.method !== 'GET') return;
    if (route === undefined || this.#under.has(key) || this.#under.size >= MAX_IN_BACKGROUND) return;
    this.#under.add(key);
    const shadow = shadowOf(exchange);
    // The one who asks may be answered long before.
    shadow.snapshot?.hold();
    const timer = setTimeout(() => shadow.cancel(new Problem('deadline-exceeded')), LONGEST_MS).unref();
    const ended = (): void => {
      clearTimeout(timer);
      this.#under.delete(key);
      shadow.close();
      shadow.snapshot?.release();
    };
    const recorded = record(shadow);
    const go = (one: Recording | undefined): void =>
      one === undefined ? ended() : this.#send(shadow, one, ended);
    if (recorded instanceof Promise) void recorded.then(go, ended);
    else go(recorded);
  }

  #send(shadow: Exchange, recording: Recording, ended: () => void): void {
    if (shadow.route?.door !== 'handler') return send(shadow, recording, ended);
    const end = (): void => {
      recording.abandon();
      ended();
    };
    recording.mayBeCovered = false;
    shadow.recording = recording;
    if (this.#handlers?.run === undefined) end();
    else this.#handlers.run(shadow, end);
  }
}

/** What keeps an answer, at once or once somebody has looked whether one is needed. */
type Recorded = Recording | undefined | Promise<Recording | undefined>;

function send(shadow: Exchange, recording: Recording, ended: () => void): void {
  const sink = new KeepingSink(recording, ended);
  const { route } = shadow;
  try {
    if (route === undefined) sink.fail();
    else route.action.answer(shadow, route, sink);
  } catch {
    sink.fail();
  }
}

/** The same request once more, without a client: nothing that happens to it reaches the exchange. */
function shadowOf(exchange: Exchange): Exchange {
  const unsent = exchange.route?.door === 'handler' ? requestLike(exchange.request) : undefined;
  const request = unsent ?? exchange.request;
  const response = unsent === undefined ? new ServerResponse(request) : unreadResponse(unsent);
  const shadow = new Exchange({ ...exchange, trace: forkTrace(exchange.trace), request, response });
  shadow.trace.carrier?.follow(shadow);
  if (unsent !== undefined) unsent.exchange = shadow;
  shadow.route = exchange.route;
  shadow.params = exchange.params;
  shadow.principal = exchange.principal;
  shadow.vouched = exchange.vouched;
  shadow.headerEdits = exchange.headerEdits;
  shadow.targetEdits = exchange.targetEdits;
  shadow.deadlineAt = performance.now() + LONGEST_MS;
  return shadow;
}

/** Hears an answer that nobody but the cache waits for. */
class KeepingSink implements AnswerSink {
  readonly #recording: Recording;
  readonly #ended: () => void;
  #isOver = false;

  constructor(recording: Recording, ended: () => void) {
    this.#recording = recording;
    this.#ended = ended;
  }

  start(status: number, headers: string[]): void {
    this.#recording.start(status, headers);
  }

  begin(head: ForwardedHead): void {
    this.start(head.status, head.fields());
  }

  flush(): void {}

  whole(head: ForwardedHead, body: Buffer): void {
    this.begin(head);
    if (body.length > 0) this.data(body);
    this.end();
  }

  interim(): void {}

  data(chunk: Buffer): boolean {
    this.#recording.data(chunk);
    return true;
  }

  trailers(): void {}

  end(): void {
    this.#recording.end();
    this.#finish();
  }

  fail(): void {
    this.#recording.abandon();
    this.#finish();
  }

  onDrain(resume: () => void): void {
    resume();
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#ended();
  }
}
