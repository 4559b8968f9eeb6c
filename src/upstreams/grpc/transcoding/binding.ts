import type { DescMethod, DescService, Registry } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Idempotency } from '@bufbuild/protobuf/wkt';
import { AnswerPlan } from './answer-plan.ts';
import { httpRules, type HttpRule } from './http-rule.ts';
import type { MetadataRules } from './metadata-rules.ts';
import { RequestPlan } from './request-plan.ts';

/** What a route says about its translation; parsed by `transcoding.schema.ts`. */
export interface BindingOptions {
  readonly unknownFields: 'reject' | 'ignore';
  readonly emitDefaults: boolean;
  readonly metadata: MetadataRules;
  /** Longest line of an upload, in bytes. */
  readonly maxLine: number;
}

/** One way in which one method is offered over HTTP, compiled. Frozen; shared by all exchanges of its route. */
export interface Binding {
  readonly method: DescMethod;
  readonly rule: HttpRule;
  readonly registry: Registry;
  /** `/shop.v1.Orders/GetOrder`. */
  readonly path: string;
  readonly plan: RequestPlan;
  readonly answer: AnswerPlan;
  /** Whether the call may be made twice without harm: its method of HTTP says so, or the proto. */
  readonly idempotent: boolean;
  readonly options: BindingOptions;
}

/** Thrown for a method whose annotation cannot be used. */
export class BindingError extends Error {
  override readonly name = 'BindingError';
}

const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']);

/**
 * Compiles every annotated method of a service.
 *
 * @throws {BindingError} naming the method, for the first annotation that cannot be used, or when there is none.
 */
export function compileBindings(
  service: DescService,
  registry: Registry,
  options: BindingOptions,
): readonly Binding[] {
  const bindings = service.methods.flatMap((method) => {
    try {
      return httpRules(method, registry).map((rule) => compile(method, rule, registry, options));
    } catch (error) {
      throw new BindingError(`${service.typeName}.${method.name}: ${(error as Error).message}`);
    }
  });
  if (bindings.length > 0) return bindings;
  throw new BindingError(`no method of ${service.typeName} has the annotation google.api.http`);
}

function compile(method: DescMethod, rule: HttpRule, registry: Registry, options: BindingOptions): Binding {
  const ignoreUnknownFields = options.unknownFields === 'ignore';
  const isUpload = method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming';
  if (isUpload && rule.body !== '*') throw new Error('expected body "*" for a stream of messages');
  const byHttp = rule.methods.length > 0 && rule.methods.every((name) => IDEMPOTENT.has(name));
  return Object.freeze({
    method,
    rule,
    registry,
    path: `/${method.parent.typeName}/${method.name}`,
    plan: new RequestPlan(method.input, rule, { registry, ignoreUnknownFields }),
    answer: new AnswerPlan(method.output, rule.responseBody, {
      registry,
      emitDefaults: options.emitDefaults,
    }),
    idempotent: byHttp || method.idempotency !== Idempotency.IDEMPOTENCY_UNKNOWN,
    options,
  });
}
