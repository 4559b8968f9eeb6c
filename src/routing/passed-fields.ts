import type { PolicySet } from '../policies/order.ts';
import { FieldRules } from '../upstreams/identity/field-rules.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { ActionError } from './route-action.ts';
import type { RouteDefinition } from './route.ts';

const FIELD = 'authorization';

/**
 * Which header fields of clients pass on a route that says something of its own; what it does not say is its upstream's to say.
 *
 * @throws {ActionError} where two options of the route contradict each other about `Authorization`.
 */
export function passedFields(
  definition: RouteDefinition,
  policies: PolicySet,
  upstream: Upstream | undefined,
): FieldRules | undefined {
  if (upstream === undefined) return undefined;
  const { identity } = definition;
  const said = upstream.options.identity;
  refuseTwoTokens(definition, policies, said?.exchange !== undefined);
  if (identity === undefined) return undefined;
  if (identity.authorization === 'forward' && said?.exchange !== undefined)
    throw new ActionError(
      ['identity', FIELD],
      'expected no `forward`: the upstream gets a token that was exchanged in this field',
    );
  return new FieldRules({ ...said, ...identity }, upstream.identity?.signs !== true);
}

// Fails closed: of two that say what is in one field, none is chosen.
function refuseTwoTokens({ identity }: RouteDefinition, policies: PolicySet, isExchanged: boolean): void {
  const { authentication, transform } = policies;
  if (typeof authentication !== 'object' || authentication.accessToken !== 'forward') return;
  const rest = 'and `accessToken: forward` of the policy `authentication` sends the token of a session in it';
  if (identity?.authorization === 'remove')
    throw new ActionError(
      ['identity', FIELD],
      `expected no \`remove\`: it takes the field away, ${rest}; of a client the field does not pass on this route anyway`,
    );
  if (isExchanged)
    throw new ActionError(
      ['policies', 'authentication', 'accessToken'],
      'expected `keep`: the upstream gets tokens that were exchanged, and that of a session is none',
    );
  const edit = transform === undefined ? undefined : editOf(transform.request ?? {});
  if (edit !== undefined)
    throw new ActionError(
      ['policies', 'transform', 'request', ...edit],
      `expected another header field: this edits ${FIELD}, ${rest}`,
    );
}

type Edits = NonNullable<NonNullable<PolicySet['transform']>['request']>;

/** The key of `transform.request` that edits the field. */
function editOf({
  setHeaders = {},
  addHeaders = {},
  renameHeaders = {},
  removeHeaders = [],
}: Partial<Edits>) {
  const isField = (name: string): boolean => name.toLowerCase() === FIELD;
  for (const [key, names] of Object.entries({ setHeaders, addHeaders, renameHeaders })) {
    const name = Object.keys(names).find(isField);
    if (name !== undefined) return [key, name];
  }
  const renamed = Object.entries(renameHeaders).find(([, to]) => isField(to));
  if (renamed !== undefined) return ['renameHeaders', renamed[0]];
  const index = removeHeaders.findIndex(isField);
  return index < 0 ? undefined : ['removeHeaders', index];
}
