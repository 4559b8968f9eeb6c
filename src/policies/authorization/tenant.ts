import type { Exchange } from '../../exchange/exchange.ts';
import { StageFault } from '../stage-fault.ts';
import { paramsOf } from '../../conditions/path-params.ts';
import { nearestName } from '../../config/nearest-name.ts';
import type { Conditions } from './authorization.schema.ts';

/**
 * Which tenant a request is about; empty for none, in which nobody has anything.
 *
 * @param params reads the path parameters, where they are not those of the route.
 */
export type TenantReader = (exchange: Exchange, params?: () => ReadonlyMap<string, string>) => string;

/** @throws {StageFault} for a parameter that the path does not have. */
export function tenantOf(
  options: NonNullable<Conditions['tenant']>,
  parameters: readonly string[] | undefined,
): TenantReader {
  if ('header' in options) {
    const { header } = options;
    return ({ request }) => {
      const value = request.headers[header];
      return typeof value === 'string' ? value : '';
    };
  }
  const { param } = options;
  if (parameters !== undefined && !parameters.includes(param))
    throw new StageFault(
      ['authorization', 'tenant', 'param'],
      `the path has no parameter {${param}}`,
      nearestName(param, parameters),
    );
  return (exchange, params) => {
    try {
      return (params?.() ?? paramsOf(exchange)).get(param) ?? '';
    } catch {
      // Fails closed: what two servers could read differently is no tenant.
      return '';
    }
  };
}
