import { PlainFault } from '../telemetry/error-facts.ts';
import type { Call } from '../calls/call.ts';
import type { ErasedScope, FallbackOptions, RunScope, SectionSource } from './section.ts';
import type { RunnableView } from './view-run.ts';

type AnyOptions = Partial<FallbackOptions<unknown>>;
type ToInput = (scope: ErasedScope) => unknown;
type CallSource = [call: Call<unknown, unknown>, input: ToInput, options?: AnyOptions];
type ViewSource = [view: RunnableView, input: ToInput, options?: AnyOptions];
type FunctionSource = [source: (scope: ErasedScope) => unknown, options?: AnyOptions];

/** The overloads of the builder with their types erased; they have checked what this relies on. */
export type SourceArguments = CallSource | ViewSource | FunctionSource;

const NOTHING = {
  source: undefined,
  element: undefined,
  nested: undefined,
  many: false,
  isOpen: false,
} as const;

/** Reads a source and its options from the arguments of `section` and `required`. */
export function sourceOf(given: SourceArguments): [SectionSource, AnyOptions] {
  if (isFunction(given)) {
    const [load, options = {}] = given;
    return [{ ...NOTHING, isOpen: true, load }, options];
  }
  const [source, toInput, options = {}] = given;
  if (isView(source)) {
    const load = loading(toInput, (scope, input) => scope.nest(source, input));
    return [{ ...NOTHING, nested: source, load }, options];
  }
  const load = loading(toInput, (scope, input) => scope.call(source, input));
  return [{ ...NOTHING, source, load }, options];
}

/**
 * Reads a list from the arguments of `list`.
 *
 * @throws {Error} naming the call that would be made once per element without being merged or bounded.
 */
export function listOf(
  where: string,
  [source, toInputs, options = {}]: CallSource | ViewSource,
): [SectionSource, AnyOptions] {
  if (isView(source)) {
    refuseUnbounded(where, source);
    const load = loading(toInputs, (scope, inputs) => scope.nestEach(source, inputs as readonly unknown[]));
    return [{ ...NOTHING, nested: source, many: true, load }, options];
  }
  refuseUnboundedCall(where, source);
  const load = loading(toInputs, (scope, inputs) => scope.callEach(source, inputs as readonly unknown[]));
  return [{ ...NOTHING, element: source, many: true, load }, options];
}

/**
 * Refuses a call that would be made once per element of a list, however long the list is.
 *
 * @throws {Error} naming the section, the call and what to declare.
 */
export function refuseUnboundedCall(where: string, { name, plan }: Call<never, unknown>): void {
  if (plan?.batch !== undefined || plan?.concurrency !== undefined) return;
  throw new PlainFault(
    `${where}: the call ${name} would be made once per element of a list; ` +
      'declare `batch` on the call, or `each: { concurrency: … }` to allow it',
  );
}

/** Calls that sources make by themselves are not known yet; the run looks at those. */
function refuseUnbounded(where: string, { name, sections }: RunnableView): void {
  for (const section of sections) {
    const call = section.source ?? section.element;
    if (call !== undefined)
      refuseUnboundedCall(`${where}, section "${section.name}" of the view ${name}`, call);
    if (section.nested !== undefined) refuseUnbounded(where, section.nested);
  }
}

function loading(toInput: ToInput, load: (scope: RunScope, input: unknown) => unknown) {
  return (scope: RunScope): unknown => {
    const input = toInput(scope);
    // Without a dependency the source starts in the same turn of the loop.
    return input instanceof Promise ? input.then((ready) => load(scope, ready)) : load(scope, input);
  };
}

function isFunction(given: SourceArguments): given is FunctionSource {
  return typeof given[0] === 'function';
}

function isView(source: Call<unknown, unknown> | RunnableView): source is RunnableView {
  // Types do not see it: what two files import of each other is undefined in the one that runs first.
  if ((source as unknown) === undefined)
    throw new Error('its source is undefined; does the file that exports it import this one?');
  return 'sections' in source;
}
