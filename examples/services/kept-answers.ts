const MAX_ANSWERS = 1000;

/** Keeps answers so that equal questions get the same message, which then is encoded only once. */
export class KeptAnswers<Answer> {
  readonly #answers = new Map<string, Answer>();

  /** The answer kept under a key. */
  get(key: string): Answer | undefined {
    return this.#answers.get(key);
  }

  /** Keeps an answer and returns it; forgets all when there are too many. */
  keep(key: string, answer: Answer): Answer {
    if (this.#answers.size >= MAX_ANSWERS) this.#answers.clear();
    this.#answers.set(key, answer);
    return answer;
  }

  /** Forgets all, because what they were made of has changed. */
  clear(): void {
    this.#answers.clear();
  }
}
