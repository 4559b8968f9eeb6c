import type { DescMethod, DescService, Registry } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Idempotency } from '@bufbuild/protobuf/wkt';
import { isPerRequest } from '../exchange/reserved-names.ts';
import type { AttemptFault } from '../upstreams/call-run.ts';
import type { UnaryMessage, UnaryMethod } from '../upstreams/grpc/unary-run.ts';
import { AnswerPlan } from './answer-plan.ts';
import { detailedProblem } from './detailed-problem.ts';
import { httpRules, type HttpRule } from './http-rule.ts';
import type { MetadataRules } from './metadata-rules.ts';
import { RequestPlan } from './request-plan.ts';
import { isIdempotent } from '../upstreams/idempotent-methods.ts';

/** What a route says about its translation; parsed by `transcoding.schema.ts`. */
export interface BindingOptions {
  readonly unknownFields: 'reject' | 'ignore';
  readonly emitDefaults: boolean;
  readonly metadata: MetadataRules;
  /** Longest line of an upload, and longest frame of a WebSocket, in bytes. */
  readonly maxLine: number;
  /** Whether streams are offered over WebSocket, and how long their sockets may stay. */
  readonly webSocket: SocketOptions | 'off';
}

/** How streams are offered over WebSocket. */
export interface SocketOptions {
  /** Most sockets of one route at once. */
  readonly sockets: number;
  /** Longest time without a message from either side, in ms. */
  readonly idle: number;
  readonly maxAge: number;
  /** Origins whose pages may open sockets without a credential. */
  readonly origins: readonly string[];
}

/** One way in which one method is offered over HTTP, compiled. Frozen; shared by all exchanges of its route. */
export interface Binding {
  readonly method: DescMethod;
  readonly rule: HttpRule;
  readonly registry: Registry;
  /** The method on the wire; it may be called twice without harm if its method of HTTP says so, or the proto. */
  readonly call: UnaryMethod<UnaryMessage> & Required<Pick<UnaryMethod<UnaryMessage>, 'problemOf'>>;
  readonly plan: RequestPlan;
  /** Makes messages of the frames of a WebSocket. */
  readonly frames: RequestPlan;
  readonly answer: AnswerPlan;
  /** The header fields of an answer that say what it was chosen by: a flat list, empty when by nothing. */
  readonly vary: readonly string[];
  readonly options: BindingOptions;
}

/** Thrown for methods whose annotations cannot be used. */
export class BindingError extends Error {
  override readonly name = 'BindingError';
  /** One for each method. */
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}

/**
 * Compiles every annotated method of a service.
 *
 * @throws {BindingError} naming each method whose annotation cannot be used, or when none has one.
 */
export function compileBindings(
  service: DescService,
  registry: Registry,
  options: BindingOptions,
): readonly Binding[] {
  const faults: string[] = [];
  const bindings = service.methods.flatMap((method) => {
    try {
      const bindings = httpRules(method, registry).map((rule) => compile(method, rule, registry, options));
      // Without WebSockets there is no way to offer these.
      return options.webSocket === 'off' ? bindings.filter((one) => !needsSocket(one)) : bindings;
    } catch (error) {
      faults.push(`${service.typeName}.${method.name}: ${(error as Error).message}`);
      return [];
    }
  });
  if (faults.length > 0) throw new BindingError(faults);
  if (bindings.length > 0) return bindings;
  throw new BindingError([`no method of ${service.typeName} has the annotation google.api.http`]);
}

function compile(method: DescMethod, rule: HttpRule, registry: Registry, options: BindingOptions): Binding {
  const ignoreUnknownFields = options.unknownFields === 'ignore';
  const isUpload = method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming';
  // Each frame of a WebSocket, which opens with a GET, is a message, whatever its binding says about bodies.
  const isFramed = isUpload && isGet(rule) && rule.body === '';
  if (isUpload && rule.body !== '*' && !isFramed) {
    throw new Error('expected body "*" for a stream of messages, or GET without a body for a WebSocket');
  }
  const byHttp = rule.methods.length > 0 && rule.methods.every(isIdempotent);
  const reading = { registry, ignoreUnknownFields };
  const plan = new RequestPlan(method.input, rule, reading);
  const whole = { ...rule, body: '*' };
  return Object.freeze({
    method,
    rule,
    registry,
    call: {
      path: `/${method.parent.typeName}/${method.name}`,
      idempotent: byHttp || method.idempotency !== Idempotency.IDEMPOTENCY_UNKNOWN,
      read: asIs,
      problemOf: (fault: AttemptFault, cause: unknown) => detailedProblem({ method, plan }, fault, cause),
    },
    plan,
    frames: isFramed ? new RequestPlan(method.input, whole, { ...reading, queryFills: true }) : plan,
    answer: new AnswerPlan(method.output, rule.responseBody, {
      registry,
      emitDefaults: options.emitDefaults,
    }),
    vary: varyOf(method, options),
    options,
  });
}

// What it becomes is for the answer to say, and no fault of the call.
function asIs(message: UnaryMessage): UnaryMessage {
  return message;
}

// The service hears what the list hands over, and cannot know that caches have to be told; the form of a stream is ours.
function varyOf({ methodKind }: DescMethod, { metadata }: BindingOptions): readonly string[] {
  const isStream = methodKind === 'server_streaming' || methodKind === 'bidi_streaming';
  const heard = metadata.request.filter((name) => !isPerRequest(name));
  const names = new Set([...(isStream ? ['accept'] : []), ...heard]);
  return Object.freeze(names.size === 0 ? [] : ['vary', [...names].join(', ')]);
}

function isGet({ methods }: HttpRule): boolean {
  return methods.length === 1 && methods[0] === 'GET';
}

/** Whether a binding is a stream that can be had over WebSocket. */
export function offersSocket({ method, options }: Binding): boolean {
  return method.methodKind !== 'unary' && options.webSocket !== 'off';
}

/** Whether a binding can be had over WebSocket alone. */
export function needsSocket(binding: Binding): boolean {
  return takesLines(binding) && isGet(binding.rule);
}

/** Whether its requests are streams of messages, which come line by line in a body. */
export function takesLines({ method: { methodKind } }: Pick<Binding, 'method'>): boolean {
  return methodKind === 'client_streaming' || methodKind === 'bidi_streaming';
}
