/** What becomes of the events of a source. */
export interface EventAnswers<Event, Answer> {
  readonly answer: (event: Event) => Answer | Promise<Answer>;
  /** The last answer of a stream whose source failed. */
  readonly fault: (error: unknown) => Answer;
  /** Called once, when the stream ends. */
  readonly onEnd: () => void;
}

/**
 * A stream of answers, one for each event of a source. Written by hand, because `return()` of an async generator
 * waits for the event that may never come: here it ends the source at once, so that a client that leaves takes
 * everything with it.
 */
export class EventStream<Event, Answer> implements AsyncGenerator<Answer, undefined, undefined> {
  readonly #source: AsyncIterator<Event>;
  readonly #answer: (event: Event) => Answer | Promise<Answer>;
  readonly #fault: (error: unknown) => Answer;
  readonly #onEnd: () => void;
  #ended = false;

  constructor(source: AsyncIterable<Event>, { answer, fault, onEnd }: EventAnswers<Event, Answer>) {
    this.#source = source[Symbol.asyncIterator]();
    this.#answer = answer;
    this.#fault = fault;
    this.#onEnd = onEnd;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Answer, undefined>> {
    if (this.#ended) return { done: true, value: undefined };
    try {
      const { done, value } = await this.#source.next();
      if (done === true || this.#ended) return await this.return();
      return { done: false, value: await this.#answer(value) };
    } catch (error) {
      // Whoever has left asks for nothing any more.
      if (this.#ended) return { done: true, value: undefined };
      const value = this.#fault(error);
      await this.return();
      return { done: false, value };
    }
  }

  async return(): Promise<{ done: true; value: undefined }> {
    if (!this.#ended) {
      this.#ended = true;
      this.#onEnd();
      await this.#source.return?.();
    }
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<never> {
    await this.return();
    throw error;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
