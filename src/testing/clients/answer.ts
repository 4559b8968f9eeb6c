import { TestingError } from '../testing-error.ts';

/** A problem of the gateway (RFC 9457), with the members of its own. */
export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail?: string;
  readonly instance?: string;
  /** What is wrong with a request, a line each. */
  readonly errors?: readonly Readonly<Record<string, unknown>>[];
  readonly [member: string]: unknown;
}

/** A whole answer. */
export class Answer {
  readonly status: number;
  /** Lower-case names; several fields of one name are one, with commas. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;

  constructor(status: number, headers: Readonly<Record<string, string>>, body: Buffer) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  /** The body as text. */
  get text(): string {
    return this.body.toString();
  }

  /** What the gateway says is wrong; undefined where the answer is no problem of its own. */
  get problem(): ProblemDetails | undefined {
    const type = this.headers['content-type'] ?? '';
    return type.startsWith('application/problem+json') ? this.json<ProblemDetails>() : undefined;
  }

  /** The body, parsed. @throws {TestingError} that shows it when it is no JSON. */
  json<Body = Readonly<Record<string, unknown>>>(): Body {
    try {
      return JSON.parse(this.text) as Body;
    } catch {
      throw new TestingError(`the answer is no JSON: ${describe(this)}`);
    }
  }
}

const MOST_SHOWN = 500;

/** An answer in one line, for messages. */
export function describe({ status, headers, text }: Answer): string {
  const type = headers['content-type'] ?? 'no content type';
  return `${status}, ${type}, ${text === '' ? 'without a body' : text.slice(0, MOST_SHOWN)}`;
}

/** Thrown when a stream or a socket was asked for, and an answer came in its place. */
export class RefusedError extends TestingError {
  readonly answer: Answer;

  constructor(what: string, answer: Answer) {
    super(`${what} was refused: ${describe(answer)}`);
    this.answer = answer;
  }

  /** What the gateway says is wrong. */
  get problem(): ProblemDetails | undefined {
    return this.answer.problem;
  }
}
