import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { OperationContract } from '../contracts/operation-contract.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { definitionOf } from '../routing/read-routes.ts';
import type { Foreseen } from '../routing/foreseen.ts';
import type { ActionDefinition, ActionKind, ActionSource, RouteAction } from '../routing/route-action.ts';
import type { Route } from '../routing/route.ts';
import type { AnswerSink } from '../exchange/answer-sink.ts';
import { TOKEN } from '../config/field-name.ts';

const MAX_BODY_BYTES = 64 * 1024;
const MAX_FIELDS = 32;
const MAX_VALUE_LENGTH = 4096;
const PLAIN_TEXT = 'text/plain; charset=utf-8';
/** Statuses whose answers have no body (RFC 9110 sections 15.3.5 and 15.3.6). */
const BODILESS = { noContent: 204, resetContent: 205 } as const;
const NOT_MODIFIED = 304;
/** Fields that frame the message or concern one connection, and the one that names the exchange: ours to say. */
const OURS =
  /^(connection|content-length|date|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|x-request-id)$/i;

const fieldName = z
  .string()
  .regex(TOKEN, 'expected a header field name')
  .refine((name) => !OURS.test(name), 'expected a header field that does not frame the message');
const fieldValue = z
  .string()
  .max(MAX_VALUE_LENGTH, `expected at most ${MAX_VALUE_LENGTH} characters`)
  .regex(/^[\t\x20-\x7e]*$/, 'expected a header field value of ASCII characters on one line');

const respondSchema = z
  .strictObject({
    status: z
      .int()
      .min(200)
      .max(599)
      .refine(
        (status) => status !== NOT_MODIFIED,
        'expected another status: 304 is for who asked with a condition',
      )
      .default(200)
      .describe('Status of the answer, 200 to 599. Default 200.'),
    headers: z
      .record(fieldName, fieldValue)
      .refine((fields) => Object.keys(fields).length <= MAX_FIELDS, `expected at most ${MAX_FIELDS} fields`)
      .refine(
        (fields) => !hasTwice(Object.keys(fields)),
        'expected each header field once, in whatever letters',
      )
      .default({})
      .describe('Header fields of the answer. `content-type` is text/plain unless it says otherwise.'),
    body: z
      .string()
      .refine((body) => Buffer.byteLength(body) <= MAX_BODY_BYTES, 'expected at most 64KiB')
      .default('')
      .describe('Body of the answer, at most 64KiB. Default none.'),
  })
  .refine(({ status, body }) => body === '' || !Object.values<number>(BODILESS).includes(status), {
    path: ['body'],
    error: 'expected no `body`: answers of this status have none',
  })
  .describe('Answers with what stands here.');

type RespondOptions = z.output<typeof respondSchema>;

function hasTwice(names: readonly string[]): boolean {
  return new Set(names.map((name) => name.toLowerCase())).size < names.length;
}

interface RespondDefinition extends ActionDefinition, RespondOptions {
  readonly kind: 'respond';
}

const respondSource: ActionSource = {
  kind: 'respond',
  key: 'respond',
  keys: { respond: respondSchema },
  hasUpstream: false,
  alone: 'nobody else is asked',
  read(reading) {
    const action: RespondDefinition = { kind: 'respond', ...(reading.route['respond'] as RespondOptions) };
    return { definitions: [definitionOf(reading, action)], faults: [] };
  },
};

/** Routes whose answer stands in the file. */
@Injectable()
export class RespondKind implements ActionKind {
  static readonly source = respondSource;
  readonly source = respondSource;

  compile(definition: RespondDefinition): RouteAction {
    return new RespondAction(definition);
  }
}

class RespondAction implements RouteAction {
  readonly kind = 'respond';
  readonly target: string;
  readonly #status: number;
  readonly #head: readonly string[];
  readonly #body: Buffer;
  readonly #type: string;

  constructor({ status, headers, body }: RespondOptions) {
    this.target = String(status);
    this.#status = status;
    this.#body = Buffer.from(body);
    const fields = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
    const type = fields.find(([name]) => name === 'content-type')?.[1];
    if (body !== '' && type === undefined) fields.push(['content-type', PLAIN_TEXT]);
    this.#type = type ?? PLAIN_TEXT;
    // RFC 9110 section 8.6: an answer of 204 has none.
    const length = ['content-length', String(this.#body.length)];
    this.#head = [...fields.flat(), ...(status === BODILESS.noContent ? [] : length)];
  }

  answer({ method }: Exchange, _route: Route, sink: AnswerSink): void {
    // A copy, because the stages of the way out edit it in place.
    sink.start(this.#status, [...this.#head]);
    if (this.#body.length > 0 && method !== 'HEAD') sink.data(this.#body);
    sink.end();
  }

  foresee(): Foreseen {
    return { answer: `${this.#status} with ${this.#body.length} bytes`, requests: [] };
  }

  contract(): OperationContract {
    const content = this.#body.length === 0 ? {} : { content: { [this.#type]: {} } };
    return {
      parameters: [],
      answers: { [this.#status]: { description: 'A fixed answer.', ...content } },
      problems: [],
    };
  }
}
