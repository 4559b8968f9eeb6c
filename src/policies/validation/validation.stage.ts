import { Injectable, Logger } from '@nestjs/common';
import type { Transform } from 'node:stream';
import type { z } from 'zod';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import { announcesBody } from '../../problems/render-problem.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import type { ResponseHead, Stage } from '../stage.ts';
import { answerTap } from './answer-tap.ts';
import { holdBody, parseHeld } from './held-body.ts';
import { OpenapiOperations, type Operation } from './openapi-operations.ts';
import { paramsOf, queryOf, type PartName, type Parts } from './request-parts.ts';
import { compileSchema, type CompiledSchema } from './schema-compiler.ts';
import { MAX_ERRORS, type SchemaFault } from './schema.pipe.ts';
import { validationPolicy } from './validation.policy.ts';

type ValidationOptions = z.output<typeof validationPolicy.schema>;

/** Where a fault is, and what. */
type Fault = SchemaFault & { readonly in: PartName };

/** What is known of a request that is checked. */
interface Checked {
  readonly parts: Parts;
  readonly params: Record<string, unknown>;
  readonly isBodyRequired: boolean;
}

const WRITING: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
const LOG_EVERY_MS = 1000;

/** Checks the requests of one route. */
class ValidationStage implements Stage {
  readonly stream: Stage['stream'];
  readonly #options: ValidationOptions;
  readonly #input: StageInput;
  readonly #metrics: Metrics;
  readonly #parts: Parts;
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
    this.#answer = answer && named('answer', () => compileSchema(answer));
    this.#operations = openapi && named('openapi', () => new OpenapiOperations(openapi.file, openapi.prefix));
    const looksAtAnswers = this.#answer !== undefined || this.#operations !== undefined;
    this.stream = looksAtAnswers ? (exchange, head) => this.#tap(exchange, head) : undefined;
  }

  enter(exchange: Exchange): void | Promise<void> {
    const checked = this.#checkedOf(exchange);
    if (checked === undefined) return this.#tell(exchange, [UNKNOWN]);
    const faults = this.#faultsOfHead(exchange, checked);
    const { body } = checked.parts;
    if (body === undefined) return this.#tell(exchange, faults);
    // Who is refused anyway costs no body.
    if (faults.length > 0 && this.#options.mode === 'enforce') return this.#tell(exchange, faults);
    const isMissing = !announcesBody(exchange.request);
    if (isMissing) {
      const missing: Fault[] = checked.isBodyRequired
        ? [{ in: 'body', pointer: '', message: 'must be there' }]
        : [];
      return this.#tell(exchange, [...faults, ...missing]);
    }
    return this.#body(exchange, body, faults);
  }

  #checkedOf(exchange: Exchange): Checked | undefined {
    const { method, path, route, params } = exchange;
    if (this.#operations === undefined) {
      const names = route?.pattern.parameters ?? [];
      return { parts: this.#parts, params: paramsOf(names, params), isBodyRequired: WRITING.has(method) };
    }
    const found = this.#operations.find(method, path);
    if (found === undefined) return undefined;
    const { operation, values } = found;
    return { ...operation, params: paramsOf(operation.names, values) };
  }

  #faultsOfHead(exchange: Exchange, { parts, params }: Checked): Fault[] {
    const faults: Fault[] = [];
    const add = (name: PartName, value: () => unknown): void => {
      const schema = parts[name];
      if (schema !== undefined) for (const one of schema.faultsOf(value())) faults.push({ in: name, ...one });
    };
    add('params', () => params);
    add('query', () => queryOf(exchange));
    // A copy: texts are made into what the schema wants.
    add('headers', () => ({ ...exchange.request.headers }));
    return faults;
  }

  #body(exchange: Exchange, schema: CompiledSchema, faults: Fault[]): void | Promise<void> {
    const check = (value: unknown, length: number): void =>
      this.#tell(exchange, [
        ...faults,
        ...schema.faultsOf(value, length).map((one) => ({ in: 'body' as const, ...one })),
      ]);
    if (this.#input.door === 'handler') {
      const length = Number(exchange.request.headers['content-length'] ?? Infinity);
      return check(exchange.parsedBody, length);
    }
    const { maxBody, mode } = this.#options;
    return holdBody(exchange, { maxBytes: maxBody, passesLarger: mode === 'shadow' }).then((held) => {
      if (held === undefined) return this.#tell(exchange, [...faults, TOO_LARGE]);
      let value: unknown;
      try {
        value = parseHeld(exchange, held);
      } catch (error) {
        if (mode === 'enforce') throw error;
        return this.#tell(exchange, [...faults, NO_JSON]);
      }
      check(value, held.length);
    });
  }

  /** @throws {Problem} when faults are to be told to the client. */
  #tell({ id }: Exchange, faults: readonly Fault[]): void {
    if (faults.length === 0) return;
    this.#metrics.invalid(this.#input.routeId, 'request', this.#options.mode);
    if (this.#options.mode === 'enforce')
      throw new Problem('request-invalid', { extensions: { errors: faults.slice(0, MAX_ERRORS) } });
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
const TOO_LARGE: Fault = { in: 'body', pointer: '', message: 'is larger than what is checked' };
const NO_JSON: Fault = { in: 'body', pointer: '', message: 'must be JSON' };

function named<Result>(key: string, compile: () => Result): Result {
  try {
    return compile();
  } catch (error) {
    throw new Error(`\`validation.${key}\`: ${(error as Error).message}`, { cause: error });
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
    const readsBody = input.door === 'handler' || (input.action ?? 'forward') === 'forward';
    if (!readsBody && validation.body !== undefined)
      throw new Error('`validation.body` is for routes that are forwarded, and for handlers');
    if (!readsBody && validation.openapi !== undefined)
      throw new Error('`validation.openapi` is for routes that are forwarded, and for handlers');
    return new ValidationStage(validation, input, this.metrics);
  }
}

/** Registers the policy in THE ORDER. */
export const validation = { policy: validationPolicy, factory: ValidationStageFactory };
