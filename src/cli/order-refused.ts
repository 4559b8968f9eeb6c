import { UsageError } from './options.ts';

/** Names of the operators' API that are called otherwise on the command line. */
const OPTIONS: Readonly<Record<string, string>> = {
  issuedBefore: 'before',
  expiresAt: 'expires',
  expiresIn: 'expires',
  perRoute: 'per-route',
  rateLimit: 'rate',
  clientId: 'client',
  addresses: 'address',
};

/** Thrown when the operators' listener says that an order makes no sense (400). */
export class OrderRefused extends Error {
  override readonly name = 'OrderRefused';
}

/**
 * The same for whoever typed the order: what is wrong with a member of it is told of the option that it came from.
 *
 * @param args those of the command, its name first.
 */
export function asUsage({ message }: OrderRefused, args: readonly string[]): UsageError {
  const [, member = '', said = ''] = /^(\w+)(?:\[\d+\])?: ([^]*)$/.exec(message) ?? [];
  const option = `--${OPTIONS[member] ?? member}`;
  const isGiven = args.some((one) => one === option || one.startsWith(`${option}=`));
  return new UsageError(`${args[0] ?? ''}: ${isGiven ? `${option}: ${said}` : message}`);
}
