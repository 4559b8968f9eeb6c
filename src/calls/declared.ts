import { areCollected, noteCall, refuseDeclaration } from '../config/code-ledger.ts';
import type { CallDescription, DeclaredCall } from './call.ts';
import { describeCall } from './describe-call.ts';

type Declaration = Pick<CallDescription, 'name' | 'upstream' | 'protocol' | 'operation' | 'reads'>;

/**
 * Makes a call of its declaration, and takes note of it.
 *
 * @returns a call that is never made where the declaration makes no sense and declarations are collected: the gateway does
 * not start then.
 * @throws {Error} naming call and option, where nobody collects them.
 */
export function declaredCall<In, Out>(
  declaration: Declaration,
  make: () => DeclaredCall<In, Out>,
): DeclaredCall<In, Out> {
  const { name, upstream, protocol } = declaration;
  noteCall({ name, upstream, protocol });
  if (!areCollected()) return make();
  try {
    return make();
  } catch (error) {
    refuseDeclaration([faultOf(name, error)]);
    return unusable(declaration);
  }
}

/** The same for a call with a stream. @param without makes one without the option that can make no sense. */
export function withoutFaults<Stream>(name: string, make: () => Stream, without: () => Stream): Stream {
  if (!areCollected()) return make();
  try {
    return make();
  } catch (error) {
    refuseDeclaration([faultOf(name, error)]);
    return without();
  }
}

function faultOf(name: string, error: unknown) {
  const message = error instanceof Error ? error.message : String(error);
  const own = `the call ${name}`;
  const text = message.startsWith(own) ? message : `${own}: ${message}`;
  return { file: 'calls', key: '', message: text, code: { name: '' } };
}

/** Merges and bounds everything, so that nothing else is said of it. */
function unusable<In, Out>(declaration: Declaration): DeclaredCall<In, Out> {
  const plan = {
    memo: true,
    share: undefined,
    cache: undefined,
    batch: undefined,
    concurrency: 1,
    missing: undefined,
  };
  return {
    ...declaration,
    plan,
    description: describeCall(declaration, plan),
    keyOf: () => '',
    run: () =>
      Promise.reject(new Error(`the call ${declaration.name} is declared in a way that makes no sense`)),
  };
}
