import type { FakeAnswer } from '../../simulate/answers.schema.ts';
import type { StandIn } from '../../simulate/http-stand-in.ts';
import type { Place, Received, Script, Upgrade } from '../../simulate/received.ts';
import { TestingError } from '../testing-error.ts';

/** A test that sends more looks at the last ones. */
const MOST_REQUESTS = 100_000;

/** A service of this machine that a test scripts: what it answers, and what it was asked. */
export abstract class FakeService<Request> implements Script {
  /** What messages call it. */
  readonly name: string;
  /** What it was asked, in order. */
  readonly requests: Request[] = [];
  /** How many keep somebody waiting on purpose. */
  waiting = 0;
  readonly #faults: string[] = [];
  readonly #asked = new Map<Received, Request>();
  #standIns: readonly StandIn[] = [];

  /** @param name what messages call it. */
  constructor(name: string) {
    this.name = name;
  }

  /** How a URL of it begins. */
  protected abstract readonly scheme: string;
  protected abstract requestOf(received: Received): Request;
  protected abstract answerTo(request: Request): Promise<FakeAnswer>;
  protected abstract forget(): void;
  /** What a request is called in a listing. */
  abstract titleOf(request: Request): string;

  /** Where it listens; the first of several targets. @throws {TestingError} before it is started. */
  get url(): string {
    const [first] = this.urls;
    if (first === undefined) throw new TestingError(`the fake service ${this.name} is not started`);
    return first;
  }

  /** Where each of its targets listens. */
  get urls(): readonly string[] {
    return this.#standIns.map(({ authority }) => `${this.scheme}://${authority}`);
  }

  /** Has servers stand in for it. @param targets what each is called, so that requests can say which one they came to. */
  protected async start(
    open: (place: Place, script: Script) => Promise<StandIn>,
    targets: readonly string[] = [`${this.scheme}://${this.name}`],
  ): Promise<this> {
    this.#standIns = await Promise.all(targets.map((target) => open({ upstream: this.name, target }, this)));
    return this;
  }

  /** Has nobody listen there, until {@link accept}: connections are refused, and open ones end. */
  refuse(): Promise<void> {
    return this.#listen(false);
  }

  /** Has it listen again, on the same port. */
  accept(): Promise<void> {
    return this.#listen(true);
  }

  /** Forgets answers and requests, ends connections, and listens; for between two tests. */
  async reset(): Promise<void> {
    this.forget();
    this.requests.length = 0;
    this.#faults.length = 0;
    this.#asked.clear();
    this.waiting = 0;
    for (const one of this.#standIns) one.disconnect();
    await this.accept();
  }

  /**
   * Ends it.
   *
   * @throws {TestingError} with what it could not answer as a test has asked for, such as a function that threw.
   */
  async stop(): Promise<void> {
    await this.#listen(false);
    const faults = this.#faults.splice(0);
    if (faults.length > 0) throw new TestingError(`the fake service ${this.name}: ${faults.join('; ')}`);
  }

  received(one: Received): void {
    const request = this.requestOf(one);
    this.requests.push(request);
    if (this.requests.length > MOST_REQUESTS) this.requests.shift();
    this.#asked.set(one, request);
  }

  answer(to: Received): Promise<FakeAnswer> {
    const request = this.#asked.get(to) as Request;
    this.#asked.delete(to);
    return this.answerTo(request);
  }

  upgraded(_one: Received, { socket }: Upgrade): void {
    socket.destroy();
  }

  failed(_place: Place, error: unknown): void {
    this.#faults.push(Error.isError(error) ? error.message : String(error));
  }

  async wait(ms: number): Promise<void> {
    if (ms === 0) return;
    this.waiting += 1;
    if (ms === Infinity) return new Promise(() => undefined);
    // It does not keep the process of a test that is over.
    await new Promise((go) => setTimeout(go, ms).unref());
    this.waiting = Math.max(0, this.waiting - 1);
  }

  async #listen(isListening: boolean): Promise<void> {
    await Promise.all(this.#standIns.map((one) => one.listens(isListening)));
  }
}
