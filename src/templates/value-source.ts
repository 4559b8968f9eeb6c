import { isIdentityHeader } from '../exchange/identity-headers.ts';
import { TemplateError } from './template-fault.ts';
import type { Read } from './template-scope.ts';
import { readPath } from './value-path.ts';

/** The names that values of a route can be taken from. */
export interface ValueNames {
  /** Parameters of the path, in the order of the pattern. */
  readonly parameters: readonly string[];
  /** Calls, in the order of the file. */
  readonly calls: readonly string[];
  /** Whether `item` stands for the element of a list. */
  readonly hasItem?: boolean;
  /** Whether query and header fields can be named. Default true. */
  readonly hasRequest?: boolean;
}

/** Where a value comes from, compiled. */
export interface ValueSource {
  /** As it stands in the file. */
  readonly text: string;
  readonly read: Read;
  /** Who is at fault when there is no such value. */
  readonly giver: 'client' | 'principal' | 'call';
  /** Index of the call that has to be answered first. */
  readonly call?: number;
  /** Lower-case name of the field of the request that the value is taken from. */
  readonly header?: string;
}

/** Names that calls cannot have, because they stand for something else. */
export const RESERVED_NAMES: readonly string[] = ['query', 'header', 'principal', 'item', 'degraded'];

const PRINCIPAL_FIELDS = ['id', 'clientId', 'email', 'tenant', 'tier'] as const;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Fields that hold a secret, which must get neither into an address nor into a body. */
const CREDENTIALS: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
  'x-api-key',
]);
const STEP = /^[A-Za-z0-9_$@-]+$/;

/**
 * Compiles the name of a value: `id`, `query.first`, `header.accept-language`, `principal.id`, `feed.items.0.id`.
 *
 * @throws {TemplateError} when there is nothing of that name.
 */
export function compileSource(text: string, names: ValueNames): ValueSource {
  const [first = '', ...steps] = text.split('.');
  const rest = text.slice(first.length + 1);
  const parameter = names.parameters.indexOf(first);
  if (parameter >= 0) return ofParameter(text, first, steps, parameter);
  const call = names.calls.indexOf(first);
  if (call >= 0) {
    assertSteps(text, steps);
    const read: Read =
      steps.length === 0 ? ({ answers }) => answers[call] : ({ answers }) => readPath(answers[call], steps);
    return { text, giver: 'call', call, read };
  }
  const asks = names.hasRequest !== false;
  if (asks && first === 'query' && rest !== '')
    return { text, giver: 'client', read: (scope) => scope.query(rest) };
  if (asks && first === 'header' && rest !== '') return ofHeader(text, rest.toLowerCase());
  if (first === 'principal') return ofPrincipal(text, rest);
  if (first === 'item' && names.hasItem === true) {
    assertSteps(text, steps);
    return { text, giver: 'call', read: ({ item }) => readPath(item, steps) };
  }
  throw new TemplateError(unknownName(first, asks), { given: first, known: knownNames(names) });
}

function ofParameter(text: string, name: string, steps: readonly string[], index: number): ValueSource {
  if (steps.length > 0) throw new TemplateError(`the parameter {${name}} is a text and has no parts`);
  return { text, giver: 'client', read: (scope) => scope.parameter(index) };
}

function ofHeader(text: string, name: string): ValueSource {
  if (!HEADER_NAME.test(name)) throw new TemplateError(`expected the name of a header field, got "${name}"`);
  // What a client says about its own identity is forged, or ours already.
  if (isIdentityHeader(name)) {
    throw new TemplateError(`${name} is not the client's to say; use principal.id`);
  }
  if (CREDENTIALS.has(name)) throw new TemplateError(`${name} is a credential and stays where it is`);
  return { text, giver: 'client', header: name, read: (scope) => scope.header(name) };
}

function ofPrincipal(text: string, given: string): ValueSource {
  const field = PRINCIPAL_FIELDS.find((one) => one === given);
  if (field !== undefined) {
    // Fails closed: an application has no id there, because it would be taken for the user of the same name.
    const member = field === 'id' ? 'subject' : field;
    return { text, giver: 'principal', read: (scope) => scope.exchange.principal?.[member] };
  }
  throw new TemplateError(`expected one of ${PRINCIPAL_FIELDS.join(', ')} of the principal, got "${given}"`, {
    given,
    known: PRINCIPAL_FIELDS,
  });
}

function assertSteps(text: string, steps: readonly string[]): void {
  if (steps.every((step) => STEP.test(step))) return;
  throw new TemplateError(`expected names and indexes between dots, such as feed.items.0.id, got "${text}"`);
}

function knownNames({ parameters, calls, hasItem, hasRequest }: ValueNames): string[] {
  const asked = hasRequest === false ? [] : ['query', 'header'];
  return [...parameters, ...calls, ...asked, 'principal', ...(hasItem === true ? ['item'] : [])];
}

function unknownName(name: string, asks: boolean): string {
  if (!asks) return `there is no parameter "${name}" to take a value from, nor anything else of that name`;
  if (name === 'query' || name === 'header') return `expected a name after it, such as ${name}.first`;
  if (name === 'item') return 'there is an `item` only below `as`';
  return `there is no parameter and no call "${name}" to take a value from`;
}
