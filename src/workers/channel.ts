type Pairs = object;

/** One message between two processes. */
type Message =
  | { readonly kind: 'ask'; readonly name: string; readonly id: number; readonly body: unknown }
  | { readonly kind: 'answer'; readonly id: number; readonly body?: unknown; readonly error?: string }
  | { readonly kind: 'tell'; readonly name: string; readonly body: unknown };

/** The other end: a worker as the primary has it, or the process as a worker has it. */
export interface Peer {
  send(message: unknown, sent: (error: Error | null) => void): unknown;
  on(event: 'message', hear: (message: unknown) => void): unknown;
}

type Handlers<Asked extends Pairs> = {
  readonly [Name in keyof Asked]: Asked[Name] extends [infer Body, infer Answer]
    ? (body: Body) => Answer | Promise<Answer>
    : never;
};
type Hearers<Told extends Pairs> = { readonly [Name in keyof Told]: (body: Told[Name]) => void };

/** What is heard over a channel. */
export interface Heard<Asked extends Pairs, Told extends Pairs> {
  readonly answers: Handlers<Asked>;
  readonly hears: Hearers<Told>;
}

interface Waiting {
  resolve(body: unknown): void;
  reject(error: Error): void;
}

/** Questions with answers, and news, between the primary and one worker, over the pipe that Node has between them. */
export class Channel<Ask extends Pairs, Tell extends Pairs, Asked extends Pairs, Told extends Pairs> {
  readonly #peer: Peer;
  readonly #heard: Heard<Asked, Told>;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #isClosed = false;

  constructor(peer: Peer, heard: Heard<Asked, Told>) {
    this.#peer = peer;
    this.#heard = heard;
    peer.on('message', (message) => this.#hear(message as Message));
  }

  /** Asks the other end. Rejects when it fails there, and when the other end is gone. */
  ask<Name extends keyof Ask & string>(
    name: Name,
    body: Ask[Name] extends [infer Body, unknown] ? Body : never,
  ): Promise<Ask[Name] extends [unknown, infer Answer] ? Answer : never> {
    const id = (this.#lastId += 1);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { resolve, reject });
    if (this.#isClosed) this.#end(id, new Error('the process is gone'));
    else this.#send({ kind: 'ask', name, id, body }, (error) => error && this.#end(id, error));
    return promise as never;
  }

  /** Tells the other end; resolves once it is on its way, or the other end is gone. */
  tell<Name extends keyof Tell & string>(name: Name, body: Tell[Name]): Promise<void> {
    return new Promise((resolve) => this.#send({ kind: 'tell', name, body }, () => resolve()));
  }

  /** The other end is gone: whoever waits for an answer hears so. */
  close(): void {
    this.#isClosed = true;
    for (const id of this.#waiting.keys()) this.#end(id, new Error('the process is gone'));
  }

  #end(id: number, error: Error): void {
    this.#waiting.get(id)?.reject(error);
    this.#waiting.delete(id);
  }

  #hear(message: Message): void {
    switch (message.kind) {
      case 'tell':
        return this.#heard.hears[message.name as keyof Told](message.body as never);
      case 'ask':
        return void this.#answer(message);
      case 'answer': {
        const waiting = this.#waiting.get(message.id);
        this.#waiting.delete(message.id);
        if (message.error === undefined) waiting?.resolve(message.body);
        else waiting?.reject(new Error(message.error));
        return undefined;
      }
      // What others send over the same pipe is theirs.
      default:
        return undefined;
    }
  }

  async #answer({ name, id, body }: Message & { readonly kind: 'ask' }): Promise<void> {
    let answer: Message;
    try {
      const act = this.#heard.answers[name as keyof Asked] as (asked: unknown) => unknown;
      answer = { kind: 'answer', id, body: await act(body) };
    } catch (error) {
      answer = { kind: 'answer', id, error: error instanceof Error ? error.message : String(error) };
    }
    this.#send(answer, () => undefined);
  }

  #send(message: Message, sent: (error: Error | null) => void): void {
    try {
      this.#peer.send(message, sent);
    } catch (error) {
      // A pipe that is closed throws in some states, and calls back in others.
      sent(error as Error);
    }
  }
}
