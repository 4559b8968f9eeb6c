import type { FakeAnswer } from '../simulate/answers.schema.ts';
import { grpcStandIn } from '../simulate/grpc-stand-in.ts';
import { httpStandIn, type StandIn } from '../simulate/http-stand-in.ts';
import type { Place, Received, Script } from '../simulate/received.ts';
import type { AnswerSource } from './answer-source.ts';
import type { GrpcSource } from './grpc-source.ts';

/** The header field, or metadata, that says of an answer that it is faked, and what it is made of. */
export const FAKE_HEADER = 'x-gatehouse-fake';

/** A server of this machine in place of an upstream that is not there. */
export class FakeUpstream implements Script {
  readonly source: AnswerSource;
  readonly #name: string;
  readonly #say: (line: string) => void;
  #standIn: StandIn | undefined = undefined;

  /** @param say hears of each answer. */
  private constructor(name: string, source: AnswerSource, say: (line: string) => void) {
    this.#name = name;
    this.source = source;
    this.#say = say;
  }

  /** Starts one on a free port. */
  static async start(
    name: string,
    source: AnswerSource | GrpcSource,
    say: (line: string) => void,
  ): Promise<FakeUpstream> {
    const fake = new FakeUpstream(name, source, say);
    const place = { upstream: name, target: `http://${name}` };
    fake.#standIn =
      'schema' in source
        ? await grpcStandIn(place, fake, source.schema)
        : await httpStandIn(place, fake);
    return fake;
  } // prettier-ignore

  /** Where it listens: host and port. */
  get authority(): string {
    return this.#standIn?.authority ?? '';
  }

  async answer(to: Received): Promise<FakeAnswer> {
    const made = await this.source.answer(to);
    const { status, grpcStatus } = made;
    const told = 'schema' in this.source ? (grpcStatus ?? 'OK') : (status ?? 200);
    this.#say(`faked ${this.#name}: ${to.method} ${to.path} ${told}`);
    return { ...made, headers: { ...made.headers, [FAKE_HEADER]: fieldText(`${this.#name}; ${this.source.told}`) } };
  } // prettier-ignore

  received(): void {
    // Told with its answer.
  }

  failed(_place: Place, error: unknown): void {
    const reason = Error.isError(error) ? error.message : String(error);
    this.#say(`faked ${this.#name}: there is no answer, ${reason}`);
  }

  async wait(ms: number): Promise<void> {
    await new Promise((go) => setTimeout(go, ms));
  }

  /** Ends it, and its connections. */
  async close(): Promise<void> {
    await this.#standIn?.listens(false);
  }
}

// Names of files may have characters that no field can.
function fieldText(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?');
}
