import { Injectable, Logger } from '@nestjs/common';
import type { Transform } from 'node:stream';
import type { z } from 'zod';
import type { Exchange } from '../../exchange/exchange.ts';
import { comesInLines } from '../../exchange/line-type.ts';
import { Problem } from '../../problems/problem.ts';
import { announcesBody } from '../../problems/render-problem.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { passes, type StageVerdict } from '../explained-stage.ts';
import { StageFault } from '../stage-fault.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import type { ResponseHead, Stage } from '../stage.ts';
import { answerTap } from './answer-tap.ts';
import { holdBody, parseHeld, parseText, repeatedIn, type HeldJson } from './held-body.ts';
import { objectOf } from './openapi-document.ts';
import { OpenapiOperations, type Operation } from './openapi-operations.ts';
import { UncheckedSpellings } from './unchecked-spellings.ts';
import { pairsAt, paramsOf, queryOf, type PartName, type Parts } from './request-parts.ts';
import { compileSchema, type CompiledSchema } from './schema-compiler.ts';
import { MAX_ERRORS, type SchemaFault } from './schema.pipe.ts';
import { validationPolicy } from './validation.policy.ts';

type ValidationOptions = z.output<typeof validationPolicy.schema>;

/** Where a fault is, and what. */
type Fault = SchemaFault & { readonly in: PartName };

/** What is known of a request once its head is checked. */
interface Checked {
  readonly faults: Fault[];
  readonly body: CompiledSchema | undefined;
  readonly isBodyRequired: boolean;
}

/** Kinds of routes whose requests have a body that can be checked, and that have operations of an API. */
const CHECKED_BY = {
  body: new Set(['forward', 'translate', 'handler']),
  openapi: new Set(['forward', 'translate', 'aggregate', 'handler']),
};
const PARTS = ['openapi', 'body', 'query', 'params', 'headers', 'answer'] as const;
const UNREAD_BODY = 'nobody reads the body of a request of such a route';
const UNREAD: Readonly<Record<string, string>> = {
  passGrpc: 'calls of gRPC are passed on unread, and their messages are no JSON; `headers` can be checked',
};
const WRITING: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
const LOG_EVERY_MS = 1000;

/** Checks the requests of one route. */
class ValidationStage implements Stage {
  readonly stream: Stage['stream'];
  readonly holdsBody: boolean;
  readonly line: Stage['line'];
  /** An API description knows no messages of a WebSocket, whose handshake is a GET. */
  readonly checksFrames: boolean;
  readonly #options: ValidationOptions;
  readonly #input: StageInput;
  readonly #metrics: Metrics;
  readonly #parts: Parts;
  readonly #spellings: UncheckedSpellings | undefined;
  readonly #answer: CompiledSchema | undefined;
  readonly #operations: OpenapiOperations | undefined;
  readonly #log = new Logger('Validation');
  #loggedAt = -Infinity;

  constructor(options: ValidationOptions, input: StageInput, metrics: Metrics) {
    const { openapi, body, query, params, headers, answer } = options;
    this.#options = options;
    this.#input = input;
    this.#metrics = metrics;
    this.#parts = {
      body: body && named('body', () => compileSchema(body)),
      query: query && named('query', () => compileSchema(query, { coerces: true })),
      params: params && named('params', () => compileSchema(params, { coerces: true })),
      headers: headers && named('headers', () => compileSchema(headers, { coerces: true })),
    };
    this.#spellings = query && new UncheckedSpellings(Object.keys(objectOf(query['properties'])));
    this.#answer = answer && named('answer', () => compileSchema(answer));
    this.#operations = openapi && named('openapi', () => new OpenapiOperations(openapi.file, openapi.prefix));
    this.holdsBody = this.#parts.body !== undefined || this.#operations?.haveBodies === true;
    // Elsewhere what comes line by line is no JSON, and refused.
    const hasLines = input.action === 'translate' && (this.holdsBody || this.#operations?.haveLines === true);
    this.line = hasLines ? (exchange, text) => this.#line(exchange, text) : undefined;
    this.checksFrames = this.#operations === undefined;
    const looksAtAnswers = this.#answer !== undefined || this.#operations !== undefined;
    this.stream = looksAtAnswers ? (exchange, head) => this.#tap(exchange, head) : undefined;
  }

  enter(exchange: Exchange): void | Promise<void> {
    const checked = this.#checkedOf(exchange);
    if (checked === undefined) return this.#tell(exchange, [UNKNOWN]);
    const { faults, body } = checked;
    const { request, route } = exchange;
    const comesLater = route?.action.takesLines === true && comesInLines(request.headers['content-type']);
    if (body === undefined || comesLater) return this.#tell(exchange, faults);
    // Who is refused anyway costs no body.
    if (faults.length > 0 && this.#options.mode === 'enforce') return this.#tell(exchange, faults);
    const isMissing = !announcesBody(request);
    if (isMissing) {
      const missing = checked.isBodyRequired ? [NO_BODY] : [];
      return this.#tell(exchange, [...faults, ...missing]);
    }
    return this.#body(exchange, body, faults);
  }

  explain(exchange: Exchange, body: Buffer | undefined): StageVerdict {
    const faults = this.#foreseen(exchange, body);
    if (faults.length === 0) return passes();
    if (this.#options.mode === 'enforce') throw refusal(faults);
    const [first] = faults;
    return passes(
      {},
      `shadow: ${faults.length} fault(s) would only be counted, ${first?.in} ${first?.message}`,
    );
  }

  #foreseen(exchange: Exchange, body: Buffer | undefined): readonly Fault[] {
    const checked = this.#checkedOf(exchange);
    if (checked === undefined) return [UNKNOWN];
    const { faults, body: schema, isBodyRequired } = checked;
    if (schema === undefined) return faults;
    if (body === undefined) return isBodyRequired ? [...faults, NO_BODY] : faults;
    const { maxBody, mode } = this.#options;
    if (body.length > maxBody && mode === 'enforce') throw new Problem('body-too-large');
    if (body.length > maxBody) return [...faults, TOO_LARGE];
    try {
      return [...faults, ...faultsOfBody(schema, parseHeld(exchange, body), body.length)];
    } catch (error) {
      if (mode === 'enforce') throw error;
      return [...faults, NO_JSON];
    }
  }

  #checkedOf(exchange: Exchange): Checked | undefined {
    const { method, path, route, params } = exchange;
    if (this.#operations === undefined) {
      const values = paramsOf(route?.pattern.parameters ?? [], params);
      const faults = this.#faultsOfHead(exchange, values);
      return { faults, body: this.#parts.body, isBodyRequired: WRITING.has(method) };
    }
    const found = this.#operations.find(method, path);
    if (found === undefined) return undefined;
    const { operation, values } = found;
    const named = operation.names.map((name, at) => [name, values[at] ?? ''] as const);
    const faults = operation.parameters.flatMap((part) =>
      part.faultsOf(pairsAt(part.of, exchange, named)).map((one) => ({ in: part.of, ...one })),
    );
    return { faults, body: operation.body, isBodyRequired: operation.isBodyRequired };
  }

  #faultsOfHead(exchange: Exchange, params: Record<string, unknown>): Fault[] {
    const faults: Fault[] = [];
    const add = (name: PartName, value: () => unknown): void => {
      const schema = this.#parts[name];
      if (schema !== undefined) for (const one of schema.faultsOf(value())) faults.push({ in: name, ...one });
    };
    add('params', () => params);
    if (this.#spellings !== undefined) {
      const query = queryOf(exchange);
      add('query', () => query);
      for (const one of this.#spellings.faultsOf(Object.keys(query))) faults.push({ in: 'query', ...one });
    }
    // A copy: texts are made into what the schema wants.
    add('headers', () => ({ ...exchange.request.headers }));
    return faults;
  }

  /** One message of several, each of which is what a body would be. */
  #line(exchange: Exchange, text: Buffer): void {
    const { method, path } = exchange;
    const schema =
      this.#operations === undefined ? this.#parts.body : this.#operations.find(method, path)?.operation.line;
    if (schema === undefined) return;
    let json: HeldJson;
    try {
      json = parseText(text);
    } catch (error) {
      if (this.#options.mode === 'enforce') throw error;
      return this.#tell(exchange, [NO_JSON]);
    }
    this.#tell(exchange, faultsOfBody(schema, json, text.length));
  }

  #body(exchange: Exchange, schema: CompiledSchema, faults: Fault[]): void | Promise<void> {
    const check = (json: HeldJson, length: number): void =>
      this.#tell(exchange, [...faults, ...faultsOfBody(schema, json, length)]);
    if (this.#input.door === 'handler') {
      const { parsedBody, heldBody } = exchange;
      const repeated = heldBody === undefined ? undefined : repeatedIn(exchange, heldBody);
      return check({ value: parsedBody, repeated }, heldBody?.length ?? Infinity);
    }
    const { maxBody, mode } = this.#options;
    return holdBody(exchange, { maxBytes: maxBody, passesLarger: mode === 'shadow' }).then((held) => {
      if (held === undefined) return this.#tell(exchange, [...faults, TOO_LARGE]);
      let json: HeldJson;
      try {
        json = parseHeld(exchange, held);
      } catch (error) {
        if (mode === 'enforce') throw error;
        return this.#tell(exchange, [...faults, NO_JSON]);
      }
      check(json, held.length);
    });
  }

  /** @throws {Problem} when faults are to be told to the client. */
  #tell({ id }: Exchange, faults: readonly Fault[]): void {
    if (faults.length === 0) return;
    this.#metrics.invalid(this.#input.routeId, 'request', this.#options.mode);
    if (this.#options.mode === 'enforce') throw refusal(faults);
    this.#note(id, 'request', faults);
  }

  // Bounded: a client could fill the log.
  #note(id: string, what: string, faults: readonly SchemaFault[]): void {
    const now = performance.now();
    if (now - this.#loggedAt < LOG_EVERY_MS) return;
    this.#loggedAt = now;
    const pointers = faults
      .slice(0, 5)
      .map(({ pointer, message }) => `${pointer.slice(0, 100) || '(whole)'} ${message}`);
    this.#log.warn(`${this.#input.routeId}: the ${what} of ${id} does not fit: ${pointers.join('; ')}`);
  }

  #tap(exchange: Exchange, head: ResponseHead): Transform | undefined {
    const schema = this.#answer === undefined ? this.#answerOf(exchange, head.status) : this.#answer;
    if (schema === undefined || (this.#answer !== undefined && (head.status < 200 || head.status > 299)))
      return undefined;
    return answerTap(head, this.#options.maxBody, (value, length) => {
      const faults = schema.faultsOf(value, length);
      if (faults.length === 0) return;
      this.#metrics.invalid(this.#input.routeId, 'answer', 'shadow');
      this.#note(exchange.id, 'answer', faults);
    });
  }

  #answerOf({ method, path }: Exchange, status: number): CompiledSchema | undefined {
    const answers: Operation['answers'] | undefined = this.#operations?.find(method, path)?.operation.answers;
    return (
      answers?.get(String(status)) ?? answers?.get(`${Math.floor(status / 100)}XX`) ?? answers?.get('DEFAULT')
    );
  }
}

const UNKNOWN: Fault = {
  in: 'params',
  pointer: '',
  message: 'no operation of the API description has this method and path',
};
const NO_BODY: Fault = { in: 'body', pointer: '', message: 'must be there' };
const TOO_LARGE: Fault = { in: 'body', pointer: '', message: 'is larger than what is checked' };
const NO_JSON: Fault = { in: 'body', pointer: '', message: 'must be JSON' };

function refusal(faults: readonly Fault[]): Problem {
  return new Problem('request-invalid', { extensions: { errors: faults.slice(0, MAX_ERRORS) } });
}

function faultsOfBody(schema: CompiledSchema, { value, repeated }: HeldJson, length: number): Fault[] {
  return [
    ...(repeated === undefined
      ? []
      : [{ in: 'body' as const, pointer: repeated, message: 'must stand once' }]),
    ...schema.faultsOf(value, length).map((one) => ({ in: 'body' as const, ...one })),
  ];
}

function named<Result>(key: string, compile: () => Result): Result {
  try {
    return compile();
  } catch (error) {
    throw new StageFault(['validation', key], (error as Error).message);
  }
}

/** Compiles the `validation` policy. */
@Injectable()
export class ValidationStageFactory implements StageFactory {
  readonly policy = validationPolicy;

  constructor(private readonly metrics: Metrics) {}

  compile(input: StageInput): Stage | undefined {
    const { validation } = input.policies;
    if (validation === undefined || validation.mode === 'off') return undefined;
    // What is left of a default after what this route has no use for.
    if (PARTS.every((part) => validation[part] === undefined)) return undefined;
    const kind = input.door === 'handler' ? 'handler' : (input.action ?? 'forward');
    // What is no version of an API is refused by its action; what the versions take is theirs to say.
    if (kind === 'versions') return undefined;
    for (const key of ['body', 'openapi'] as const)
      if (validation[key] !== undefined && !CHECKED_BY[key].has(kind))
        throw new StageFault(['validation', key], UNREAD[kind] ?? UNREAD_BODY);
    return new ValidationStage(validation, input, this.metrics);
  }
}

/** Registers the policy in THE ORDER. */
export const validation = { policy: validationPolicy, factory: ValidationStageFactory };
