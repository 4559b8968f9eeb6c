import { refuseDeclaration } from '../config/code-ledger.ts';

/** A place where a decorator says a policy. */
export interface Placement {
  /** The name of the policy. */
  readonly policy: string;
  /** The name of the method or property; undefined for the class itself. */
  readonly member: string | undefined;
  /** The class whose text the decorator stands in. */
  readonly owner: Constructor;
}

/** Any class, abstract ones too. */
export type Constructor = abstract new (...args: never[]) => unknown;

const placements = new WeakMap<object, Placement[]>();

/**
 * Takes note of a decorator of a policy, so that a start can ask for each of them whether somebody enforces it.
 * To be called by each such decorator with what it is called with.
 *
 * @returns whether something can be enforced there.
 * @throws {ConfigError} for places that nothing can be enforced at: parameters and static members. While declarations are
 * collected it is told with all others.
 */
export function notePlacement(
  policy: string,
  target: object,
  key?: string | symbol,
  third?: unknown,
): boolean {
  const isStatic = typeof target === 'function' && key !== undefined;
  const owner = (typeof target === 'function' ? target : target.constructor) as Constructor;
  // Fails closed, as early as the class is defined: nobody ever looks for policies there.
  const message =
    typeof third === 'number'
      ? 'stands on a parameter; it belongs to the method'
      : 'stands on a static member, which answers nobody';
  if (typeof third === 'number' || isStatic) {
    const [file, decorator] = [placeName(target, key), decoratorName(policy)];
    const code = { at: codeOf(target, key), decorator };
    refuseDeclaration([{ file, key: `policies.${policy}`, message, code }]);
    return false;
  }
  const known = placements.get(owner);
  const placement = { policy, member: key === undefined ? undefined : String(key), owner };
  if (known === undefined) placements.set(owner, [placement]);
  else known.push(placement);
  return true;
}

/** How the decorator of a policy is called: `rateLimit` is `@RateLimit`. */
export function decoratorName(policy: string): string {
  return `@${policy.charAt(0).toUpperCase()}${policy.slice(1)}`;
}

/** What a decorator stands on, by which its line is found: the method or class; of a property its class. */
export function codeOf(target: object, key?: string | symbol): object {
  const member: unknown = key === undefined ? target : Object.getOwnPropertyDescriptor(target, key)?.value;
  if (typeof member === 'function') return member;
  return typeof target === 'function' ? target : target.constructor;
}

const faulty = new WeakSet<object>();

/** Says that a decorator of a class or method says something wrong, which has been told. */
export function noteFaulty(target: object, descriptor: PropertyDescriptor | undefined): void {
  faulty.add((descriptor?.value as object | undefined) ?? target);
}

/** Whether what decorators say there is not all that they were meant to say. */
export function isFaulty(target: object): boolean {
  return faulty.has(target);
}

/** How messages name the place of a decorator: `OrdersController`, or `OrdersController.get`. */
export function placeName(target: object, key?: string | symbol): string {
  const { name } = typeof target === 'function' ? target : target.constructor;
  return key === undefined ? name : `${name}.${String(key)}`;
}

/** What decorators say on a class, and on those that it extends. */
export function placementsOn(target: Constructor): readonly Placement[] {
  return lineageOf(target).flatMap((one) => placements.get(one) ?? []);
}

/** A class and those that it extends, the narrowest first; what a mixin returns is one of them. */
export function lineageOf(target: Constructor): readonly Constructor[] {
  const lineage: Constructor[] = [];
  for (let at: unknown = target; typeof at === 'function' && at !== Function.prototype;) {
    lineage.push(at as Constructor);
    at = Object.getPrototypeOf(at);
  }
  return lineage;
}

/** The methods of a name along a lineage, the one that is called first: what overrides inherits what is said. */
export function methodsNamed(target: Constructor, name: string): readonly object[] {
  return lineageOf(target).flatMap(({ prototype }) => {
    const value: unknown = Object.getOwnPropertyDescriptor(prototype as object, name)?.value;
    return typeof value === 'function' ? [value] : [];
  });
}
