import { describe, expect, it } from '@jest/globals';
import { rightsFor, rightsSchema } from './include.schema.ts';
import { mayRead, outsideNames } from './outside-names.ts';

const rights = rightsFor(
  'my-team',
  rightsSchema.parse({ files: ['tls/{team}', 'api.yaml'], variables: ['{TEAM}_*', 'ZONE'] }),
);
const strays = (value: unknown): string[] => outsideNames(value, rights).map(({ path }) => path.join('.'));
const upstream = (more: object): object => ({ upstreams: { a: more } });

describe('outsideNames', () => {
  it.each([
    ['tls/my-team/ca.pem', true],
    ['./tls/my-team/ca.pem', true],
    ['tls/my-team', true],
    ['tls/my-team-2/ca.pem', false],
    ['tls/other/ca.pem', false],
    ['tls/my-team/../other/ca.pem', false],
    ['/etc/tls/my-team/ca.pem', false],
  ])('lets a team name %s: %s', (ca, isAllowed) => {
    expect(strays(upstream({ tls: { ca } }))).toEqual(isAllowed ? [] : ['upstreams.a.tls.ca']);
  });

  it('finds files and variables wherever they are named, and takes nothing of clients and services for one', () => {
    const file = 'other.pem';
    expect(
      strays({
        upstreams: {
          a: {
            descriptorSet: file,
            tls: { cert: file, key: file },
            sticky: { secretFile: file, secretEnv: 'OTHER' },
            discovery: { file: { path: file }, lastKnown: file },
            identity: { exchange: { clientSecretEnv: 'MY_TEAM_SECRET', privateKeyFile: file } },
          },
        },
        routes: [
          {
            policies: { validation: { openapi: { file: 'api.yaml' } }, rateLimit: { key: 'ip' } },
            respond: { body: { someFile: 'x', envEnv: 'y' } },
            match: { path: '/a', headers: { 'x-file': 'z' } },
          },
          { policies: { validation: { openapi: { file } }, idempotency: { encryptionKeysFile: file } } },
        ],
      }),
    ).toEqual([
      'upstreams.a.descriptorSet',
      'upstreams.a.tls.cert',
      'upstreams.a.tls.key',
      'upstreams.a.sticky.secretFile',
      'upstreams.a.sticky.secretEnv',
      'upstreams.a.discovery.file.path',
      'upstreams.a.discovery.lastKnown',
      'upstreams.a.identity.exchange.privateKeyFile',
      'routes.1.policies.validation.openapi.file',
      'routes.1.policies.idempotency.encryptionKeysFile',
    ]);
  });

  it('leaves a variable to the team that has the longer beginning', () => {
    const own = { files: [], variables: ['PAY_*', 'PAY_EU_SHARED', 'ZONE'] };
    const others = { ...own, othersVariables: ['PAY_EU_*', 'ZONE'] };
    const may = (name: string): boolean => mayRead(name, others);
    expect(['PAY_KEY', 'PAY_EU_SHARED', 'ZONE'].map(may)).toEqual([true, true, true]);
    expect(['PAY_EU_KEY', 'OTHER'].map(may)).toEqual([false, false]);
    expect(mayRead('PAY_EU_KEY', own)).toBe(true);
  });
});
