import { getOption, toJson, type DescExtension, type DescMethod, type Registry } from '@bufbuild/protobuf';
import { parseHttpTemplate, type HttpTemplate } from './http-template.ts';

/** One way in which a method is offered over HTTP. */
export interface HttpRule {
  /** Upper-case methods; empty for all. */
  readonly methods: readonly string[];
  readonly template: HttpTemplate;
  /** `*` for the whole request message, the name of a field, or empty: there is no body. */
  readonly body: string;
  /** Name of the field of the answer that is sent, or empty for all of it. */
  readonly responseBody: string;
}

/** `google.api.HttpRule` in JSON. */
interface RawRule {
  readonly custom?: { readonly kind?: string; readonly path?: string };
  readonly body?: string;
  readonly responseBody?: string;
  readonly additionalBindings?: readonly RawRule[];
}

const VERBS = ['get', 'put', 'post', 'delete', 'patch'] as const;
const CUSTOM = new Set(['HEAD', 'OPTIONS', 'GET', 'PUT', 'POST', 'DELETE', 'PATCH']);

/**
 * Reads the `google.api.http` annotation of a method; none for a method without one.
 *
 * @throws {Error} saying what is wrong with it.
 */
export function httpRules(method: DescMethod, registry: Registry): readonly HttpRule[] {
  const extension = registry.getExtension('google.api.http');
  // Nobody can have used an option that no file declares.
  if (extension?.message === undefined) return [];
  const option = extension as DescExtension & { extendee: { typeName: 'google.protobuf.MethodOptions' } };
  const value: unknown = getOption(method, option);
  const raw = toJson(extension.message, value as Parameters<typeof toJson>[1]) as RawRule;
  if (Object.keys(raw).length === 0) return [];
  return [raw, ...(raw.additionalBindings ?? [])].map((rule, index) => {
    if (index > 0 && rule.additionalBindings !== undefined) {
      throw new Error('expected no additional_bindings inside additional_bindings');
    }
    return ruleOf(rule);
  });
}

function ruleOf(raw: RawRule): HttpRule {
  const verb = VERBS.find((name) => name in raw);
  const path = verb === undefined ? raw.custom?.path : (raw as Record<string, unknown>)[verb];
  if (typeof path !== 'string' || path === '') throw new Error('expected a method and a path');
  const body = raw.body ?? '';
  return {
    methods: verb === undefined ? customMethods(raw.custom?.kind ?? '') : [verb.toUpperCase()],
    template: parseHttpTemplate(path),
    body,
    responseBody: raw.responseBody ?? '',
  };
}

function customMethods(kind: string): readonly string[] {
  if (kind === '*') return [];
  if (!CUSTOM.has(kind)) throw new Error(`expected a custom kind of "*" or an HTTP method, got "${kind}"`);
  return [kind];
}
