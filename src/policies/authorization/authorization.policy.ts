import { definePolicy } from '../policy.ts';
import {
  authorizationSchema,
  type AccessRule,
  type AuthorizationOptions,
  type Conditions,
} from './authorization.schema.ts';

/** What a caller needs to have, and what has to hold of the request. */
export const authorizationPolicy = definePolicy({
  name: 'authorization',
  schema: authorizationSchema,
  step: 'authorize',
  summary:
    'Says what the principal needs to have, who is refused, and what has to hold of the request. Every condition that is given must hold, and nothing of `deny`; at least one must be given. On a public route nobody is known, so that only conditions that do not ask who calls are possible.',
  // An operation meets it again, because its socket can outlive what it was opened with.
  per: 'operation',
  before: 'body',
  refusesWith: ['permission-denied'],
  refuses: ({ mode, access }) => (mode === 'shadow' && access === undefined ? [] : ['permission-denied']),
  describe,
  onFields: 'all',
});

function describe({ access, ...own }: AuthorizationOptions): string {
  const rules = (access ?? []).map(
    (rule) => `${methodsOf(rule)}${rule.path} { ${describeConditions(rule)} }`,
  );
  return [describeConditions(own), ...rules].filter((text) => text !== '').join(' ');
}

function methodsOf({ methods }: AccessRule): string {
  return methods === undefined ? '' : `${methods.join(',')} `;
}

function describeConditions({
  deny,
  tenant,
  when,
  mode,
  ...needs
}: Conditions & Partial<AccessRule>): string {
  const { path: _path, methods: _methods, ...names } = needs;
  const lists = Object.entries(names).map(([kind, list]) => `${kind}(${(list ?? []).join(',')})`);
  const of = tenant === undefined ? [] : [`tenant(${Object.values(tenant).join()})`];
  const refusing = deny === undefined ? [] : [`deny(${describeConditions(deny)})`];
  const holding = when === undefined ? [] : [`when(${when.trim().replace(/\s+/g, ' ')})`];
  return [...lists, ...of, ...refusing, ...holding, ...(mode === 'shadow' ? ['shadow'] : [])].join(' ');
}

/** Says what a principal needs to have to call a controller or handler. */
export const Authorization = authorizationPolicy.decorator;

/** Short form: at least one of these roles. */
export const Roles = (...anyRole: string[]) => Authorization({ anyRole });

/** Short form: all of these permissions. */
export const Permissions = (...allPermissions: string[]) => Authorization({ allPermissions });

/** Short form: a condition in CEL. */
export const When = (when: string) => Authorization({ when });
