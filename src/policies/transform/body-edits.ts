import type { z } from 'zod';
import type { Exchange } from '../../exchange/exchange.ts';
import { isLarger } from '../../exchange/json-size.ts';
import { Problem } from '../../problems/problem.ts';
import { PlainFault } from '../../telemetry/error-facts.ts';
import { TemplateFaults } from '../../templates/template-fault.ts';
import { compileMapping } from '../../templates/response-mapping.ts';
import { TemplateScope, type Read } from '../../templates/template-scope.ts';
import type { IncomingEdit } from '../incoming-edit.ts';
import { StageFault } from '../stage-fault.ts';
import type { StageInput } from '../stage-factory.ts';
import type { Stage } from '../stage.ts';
import type { Change } from './body-edit.ts';
import { canGrow, compileOperation, inTurn, type BodyOperation } from './body-operations.ts';
import { compileFieldMask, plainValue, type FieldMask } from './field-mask.ts';
import type { transformPolicy } from './transform.policy.ts';

type TransformOptions = z.output<(typeof transformPolicy)['schema']>;
type ResponseOptions = NonNullable<TransformOptions['response']>;

/** What a body may become at most, as a multiple of the largest that is held. */
const MAX_GROWTH = 2;
/** Most elements of lists that a template maps for one answer. */
const MAX_ELEMENTS = 10_000;
const [FIRST_SUCCESS, FIRST_OTHER] = [200, 300];

/** What a transform does to the bodies of answers. */
export type AnswerBodyEdit = Required<Pick<Stage, 'body' | 'bodies' | 'onBodyFault' | 'maxBodyBytes'>> & {
  /** Whether an answer differs by what its caller may see. */
  readonly isPersonal: boolean;
};

/** Compiles what a transform does to bodies of requests; undefined for nothing. */
export function compileIncoming(options: TransformOptions['request']): IncomingEdit | undefined {
  if (options?.body === undefined) return undefined;
  const { body, maxBody, onFault } = options;
  const change = operationsOf(body);
  const maxGrown = body.some(canGrow) ? maxBody * MAX_GROWTH : Infinity;
  const edit = (_: Exchange, value: unknown): unknown => {
    const edited = change(value);
    if (isTooLarge(edited, maxGrown)) throw new Problem('body-too-large');
    return edited;
  };
  return { edit, maxBytes: maxBody, onFault };
}

/**
 * Compiles what a transform does to bodies of answers: first fields are masked, by the names that they came with, then the
 * operations follow as they are written, and the template comes last.
 *
 * @throws {StageFault} with its place, for a template that names what there is not.
 */
export function compileAnswerBody(
  options: ResponseOptions | undefined,
  input: StageInput,
): AnswerBodyEdit | undefined {
  const { maskFields, body, template, maxBody = 0, onFault = 'fail' } = options ?? {};
  if (maskFields === undefined && body === undefined && template === undefined) return undefined;
  const masks = maskFields === undefined ? [] : masksOf(maskFields);
  const change = operationsOf(body ?? []);
  const shape = template === undefined ? undefined : templateOf(template, input);
  const isGrowing = shape !== undefined || body?.some(canGrow) === true;
  const maxGrown = isGrowing ? maxBody * MAX_GROWTH : Infinity;
  // What a handler returns may be no JSON yet, and what it keeps must not be changed.
  const isPlain = masks.some(({ roles }) => roles === undefined) || input.door === 'proxy';
  return {
    bodies: masks.length > 0 ? 'all' : 'json',
    onBodyFault: onFault,
    maxBodyBytes: maxBody,
    isPersonal: masks.some(({ roles }) => roles !== undefined) || shape?.isPersonal === true,
    body(exchange, value, status = FIRST_SUCCESS) {
      let edited = isPlain ? value : plainValue(value);
      for (const { roles, apply } of masks) if (!hasAny(exchange, roles)) edited = apply(edited);
      edited = change(edited);
      if (shape !== undefined && status >= FIRST_SUCCESS && status < FIRST_OTHER)
        edited = shape.fill(exchange, edited);
      if (isTooLarge(edited, maxGrown)) throw overgrown();
      return edited;
    },
  };
}

interface Mask {
  readonly apply: FieldMask;
  /** Who sees the fields; undefined: nobody. */
  readonly roles: ReadonlySet<string> | undefined;
}

function masksOf(fields: NonNullable<ResponseOptions['maskFields']>): Mask[] {
  const always = fields.filter((one) => typeof one === 'string');
  const byRole = fields.filter((one) => typeof one !== 'string');
  return [
    ...(always.length === 0 ? [] : [{ apply: compileFieldMask(always), roles: undefined }]),
    ...byRole.map((one) => ({
      apply: compileFieldMask(one.fields),
      roles: new Set([one.unless.role].flat()),
    })),
  ];
}

// Fails closed: nobody is nobody with a role.
function hasAny({ principal }: Exchange, roles: ReadonlySet<string> | undefined): boolean {
  if (roles === undefined || principal === undefined) return false;
  for (const role of principal.roles) if (roles.has(role)) return true;
  return false;
}

function operationsOf(operations: readonly BodyOperation[]): Change {
  return inTurn(operations.map(compileOperation));
}

interface Shape {
  readonly fill: (exchange: Exchange, body: unknown) => unknown;
  readonly isPersonal: boolean;
}

function templateOf(template: unknown, { parameters = [] }: StageInput): Shape {
  const faults = new TemplateFaults();
  let isPersonal = false;
  const read: Read = compileMapping(template, [], {
    // The body is what the one call has answered, and nothing else of the request counts than what chose the answer.
    names: { parameters, calls: ['body'], hasRequest: false },
    faults,
    used: ({ of }) => (isPersonal ||= of === 'principal'),
  });
  const [fault] = faults.all;
  if (fault !== undefined) {
    const hint = fault.suggestion === undefined ? '' : `; did you mean "${fault.suggestion}"?`;
    throw new StageFault(['transform', 'response', 'template', ...fault.path], fault.message + hint);
  }
  const fill = (exchange: Exchange, body: unknown): unknown => {
    const scope = new TemplateScope(exchange, 1, MAX_ELEMENTS);
    scope.answers[0] = body;
    return read(scope);
  };
  return { fill, isPersonal };
}

function isTooLarge(value: unknown, maxBytes: number): boolean {
  return maxBytes !== Infinity && isLarger(value, maxBytes);
}

function overgrown(): Problem {
  return new Problem('upstream-response-invalid', {
    cause: new PlainFault('the edited answer is more than twice as large as `maxBody` allows'),
  });
}
