import { expect, it } from '@jest/globals';
import { readConfig } from '../config/config-reader.ts';
import { gatewaySchema } from '../pipeline/actions.ts';
import type { RouteTable } from '../routing/route-table.ts';
import { misspelledRoles } from './misspelled-roles.ts';

const ROLES = 'identity: { roles: { editor: { includes: [viewer] }, auditor: {}, hr: {} } }';
const NO_ROUTES = { routes: [] } as unknown as RouteTable;

const warned = (text: string, roles = ROLES, table = NO_ROUTES) =>
  misspelledRoles(table, readConfig(gatewaySchema, `version: 1\n${roles}\n${text}\n`, 'gateway.yaml', {}));

it.each([
  ['of a default', 'defaults: { policies: { authorization: { anyRole: [edtior] } } }', 'editor'],
  [
    'of all that are needed',
    'defaults: { policies: { authorization: { allRoles: [auditor, Auditor] } } }',
    'auditor',
  ],
  ['that is included only', 'defaults: { policies: { authorization: { anyRole: [viewers] } } }', 'viewer'],
  ['of a deny', "access: [{ path: '/*', deny: { anyRole: [editr] } }]", 'editor'],
  ['of a path', "access: [{ path: '/a', anyRole: [x] }, { path: '/b', anyRole: [editor_] }]", 'editor'],
])('warns of a slip %s, with its place and what is meant', (_what, text, meant) => {
  expect(warned(text)).toMatchObject([
    { file: 'gateway.yaml', line: 3, message: expect.stringContaining(`did you mean "${meant}"?`) },
  ]);
});

it('warns of one of a handler, by where that is', () => {
  const authorization = { anyRole: ['edittor'] };
  const table = {
    routes: [{ id: 'own', origin: 'OwnController', policies: { authorization } }],
  } as unknown as RouteTable;
  expect(warned('', ROLES, table)).toMatchObject([{ file: 'OwnController', message: expect.any(String) }]);
});

it.each([
  [
    'names that are known',
    'defaults: { policies: { authorization: { anyRole: [editor, viewer, hr] } } }',
    ROLES,
  ],
  [
    'names that nobody could mistake',
    'defaults: { policies: { authorization: { anyRole: [admin, qr] } } }',
    ROLES,
  ],
  ['a role of a tenant', 'defaults: { policies: { authorization: { anyRole: [acme/editr] } } }', ROLES],
  [
    'any name, where no roles are defined',
    'defaults: { policies: { authorization: { anyRole: [editr] } } }',
    '',
  ],
])('says nothing of %s', (_what, text, roles) => {
  expect(warned(text, roles)).toEqual([]);
});
