import { answer, type FakeAnswer } from '../../simulate/answers.schema.ts';
import { TestingError } from '../testing-error.ts';
import type { Span } from '../time.ts';

/** What goes wrong: the connection ends before an answer or within its body, no answer comes, or one that cannot be read. */
export type FakeFault = 'reset' | 'cut' | 'hang' | 'garbage';

/** What every answer can say. */
export interface AnyAnswer {
  /** Header fields, of gRPC metadata. Default none, but for the type of a body that is JSON. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** How long it takes. Default no time. */
  readonly delay?: Span;
  readonly fault?: FakeFault;
}

/** An answer, several that come one after the other, of which the last one stays, or what makes one of the request. */
export type Answering<Answer, Request> =
  | Answer
  | readonly Answer[]
  | ((request: Request) => Answer | Promise<Answer>);

/** Checks an answer of a test. @param place what it is for. @throws {TestingError} with all that is wrong with it. */
export function readAnswer(given: object, place: string): FakeAnswer {
  const { delay } = given as AnyAnswer;
  if ((given as { fault?: unknown }).fault === 'refuse')
    throw new TestingError(`${place}: a whole service refuses connections: call refuse() on it`);
  const read = answer.safeParse({
    ...given,
    ...(typeof delay === 'number' && { delay: `${delay}ms` }),
  });
  if (read.success) return read.data;
  const said = read.error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '));
  throw new TestingError(`${place}: ${said.join('; ')}`);
} // prettier-ignore

/** The answers of one rule, in their turn. */
export class Answers<Answer extends object, Request> {
  readonly #place: string;
  readonly #given: Answering<Answer, Request>;
  readonly #read: (answer: Answer, place: string) => FakeAnswer;
  readonly #list: readonly FakeAnswer[];
  #turn = 0;

  constructor(
    place: string,
    given: Answering<Answer, Request>,
    read: (answer: Answer, place: string) => FakeAnswer = readAnswer,
  ) {
    [this.#place, this.#given, this.#read] = [place, given, read];
    const fixed = typeof given === 'function' ? [] : ([given].flat() as readonly Answer[]);
    this.#list = fixed.map((one) => read(one, place));
    if (typeof given !== 'function' && this.#list.length === 0)
      throw new TestingError(`${place}: expected an answer, or several, given none`);
  }

  /** The next one. */
  async next(request: Request): Promise<FakeAnswer> {
    if (typeof this.#given === 'function')
      return this.#read(await this.#given(request), `${this.#place}, as its function has it`);
    const at = Math.min(this.#turn, this.#list.length - 1);
    this.#turn += 1;
    return this.#list[at] as FakeAnswer;
  }
}
