import type { Type } from '@nestjs/common';
import { PIPES_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { ConfigFault } from '../../config/config-fault.ts';
import {
  codeOf,
  decoratorName,
  placementsOn,
  type Constructor,
  type Placement,
} from '../../policies/placements.ts';
import { policyRegistry } from '../../policies/order.ts';
import { handlersOf } from './controller.route-source.ts';
import { MATCH } from './match.decorator.ts';

/**
 * Looks for what would not hold on controllers: policies where nobody enforces them, and input that nobody checks.
 *
 * @returns a fault for each, with the place in the code.
 */
export function controllerFaults(controllers: readonly Type[]): readonly ConfigFault[] {
  return controllers.flatMap((controller) => [...misplaced(controller), ...unchecked(controller)]);
}

/** Faults of policies on classes that answer nobody: services, guards, pipes, modules and whatever else Nest makes. */
export function strayPolicies(classes: readonly Constructor[]): readonly ConfigFault[] {
  const placements = new Set([...new Set(classes)].flatMap((one) => placementsOn(one)));
  return [...placements].map((one) =>
    fault(one, 'has no effect here; it belongs to controllers, resolvers, types and their members'),
  );
}

function misplaced(controller: Type): readonly ConfigFault[] {
  const handlers = new Set(handlersOf(controller).map(([name]) => name));
  return placementsOn(controller).flatMap((one) => {
    if (one.policy !== MATCH && !Object.hasOwn(policyRegistry, one.policy))
      return fault(
        one,
        'belongs to fields of GraphQL types; over REST that is `transform`, with `maskFields`',
      );
    if (one.member === undefined || handlers.has(one.member)) return [];
    return fault(one, 'has no effect here; it belongs to handlers, which have @Get(), @Post() or the like');
  });
}

function fault({ owner, member, policy }: Placement, message: string): ConfigFault {
  const file = member === undefined ? owner.name : `${owner.name}.${member}`;
  const key = policy === MATCH ? policy : `policies.${policy}`;
  const at = member === undefined ? owner : codeOf(owner.prototype as object, member);
  return { file, key, message, code: { at, decorator: decoratorName(policy) } };
}

/** What Nest remembers of a decorated parameter. */
interface Argument {
  readonly data?: unknown;
  readonly schema?: unknown;
  readonly pipes?: readonly unknown[];
}

/** Where clients send what has any shape. A header field, and a segment that is asked for by its name, is text. */
const UNTYPED = new Map<RouteParamtypes, string>([
  [RouteParamtypes.BODY, '@Body'],
  [RouteParamtypes.QUERY, '@Query'],
  [RouteParamtypes.PARAM, '@Param'],
]);

// Fails closed: a type of TypeScript checks nothing of what comes in, and would be believed to.
function unchecked(controller: Type): readonly ConfigFault[] {
  return handlersOf(controller).flatMap(([name, handler]) => {
    if (hasPipes(handler) || hasPipes(controller)) return [];
    const args = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) ?? {}) as Record<
      string,
      Argument
    >;
    return Object.entries(args).flatMap(([key, { data, schema, pipes = [] }]) => {
      const kind = Number(key.split(':')[0]) as RouteParamtypes;
      const decorator = UNTYPED.get(kind);
      if (decorator === undefined || schema !== undefined || pipes.length > 0) return [];
      if (kind === RouteParamtypes.PARAM && isText(controller, name, { key, data })) return [];
      const field = typeof data === 'string' && data !== '' ? `'${data}', ` : '';
      const message =
        `${kind === RouteParamtypes.PARAM ? 'any text may come in' : 'anything may come in, `null` and lists too'}; write \`${decorator}(${field}{ schema })\` with a schema of zod, ` +
        'or give it a pipe that checks it';
      return { file: `${controller.name}.${name}`, key: decorator, message, code: { at: handler } };
    });
  });
}

/** Whether a parameter takes a segment as the text that it is; every other type of it would be a promise that nobody keeps. */
function isText(
  controller: Type,
  name: string,
  { key, data }: { readonly key: string; readonly data: unknown },
): boolean {
  if (typeof data !== 'string' || data === '') return false;
  const types = Reflect.getMetadata('design:paramtypes', controller.prototype as object, name) as
    | readonly unknown[]
    | undefined;
  const type = types?.[Number(key.split(':')[1])];
  return type === undefined || type === String || type === Object;
}

function hasPipes(target: object): boolean {
  return ((Reflect.getMetadata(PIPES_METADATA, target) as readonly unknown[] | undefined) ?? []).length > 0;
}
