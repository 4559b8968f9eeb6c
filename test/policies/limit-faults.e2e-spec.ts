import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Module, type Type } from '@nestjs/common';
import { ConfigError, type ConfigFault } from '../../src/config/config-fault.ts';
import { Public } from '../../src/policies/authentication/authentication.policy.ts';
import { RateLimit } from '../../src/policies/rate-limit/rate-limit.policy.ts';
import { checkGateway } from '../support/gateway.ts';

const configOf = (limits: readonly string[], more = ''): string =>
  [
    'version: 1',
    more,
    'upstreams: { it: { targets: [http://127.0.0.1:1] } }',
    'routes:',
    ...limits.map(
      (limit, index) =>
        `  - id: r${index}\n    match: { path: /r${index}, methods: [GET, POST] }\n    upstream: it\n` +
        `    policies:\n      authentication: public\n      rateLimit: ${limit}`,
    ),
  ].join('\n');

async function faultsOf(config: string, modules: readonly Type[] = []): Promise<readonly ConfigFault[]> {
  const refused = await checkGateway({ config, modules }).then(
    () => new ConfigError([]),
    (error: unknown) => error,
  );
  if (!(refused instanceof ConfigError)) throw refused;
  return refused.faults;
}

/** What a limit says, the key that is told of it, and in which words. */
const FAULTS: readonly (readonly [limit: string, key: string, message: RegExp, suggestion?: string])[] = [
  ['{ key: ip, rate: 5, cost: { methods: { GTE: 0 } } }', 'cost.methods.GTE', /expected a method/, 'GET'],
  ['{ key: ip, rate: 5, cost: { methods: {} } }', 'cost.methods', /expected a method/],
  ['{ key: ip, rate: 5, cost: { methods: { GET: 0 }, default: 0 } }', 'cost', /costs something/],
  ['{ key: ip, rate: 5, cost: { methods: { POST: 6 } } }', 'cost.methods.POST', /at most the burst/],
  ['{ key: ip, rate: 5, cost: { methods: { DELETE: 2 } } }', 'cost.methods.DELETE', /takes GET, POST/],
  ['{ key: ip, rate: 5, cost: { answerHeader: x, atMost: 6 } }', 'cost.atMost', /at most 5, the burst/],
  ['{ key: ip, rate: 5, cost: { answerHeader: x, ahead: 3, atMost: 2 } }', 'cost.atMost', /taken ahead/],
  ['{ key: ip, rate: 5, cost: 6 }', 'cost', /cost of at most the burst/],
  [
    '{ key: ip, tiers: { a: { rate: 5 }, b: { rate: 1 } }, cost: 2 }',
    'cost',
    /at most 1, the burst of the tier `b`/,
  ],
  ['{ key: ip, rate: 5, per: 0.2ms }', 'per', /from 1ms to 366d/],
  ['{ key: [ip, ip], rate: 5 }', 'key[1]', /expected one address/],
  ['{ key: [ip, { ip: { ipv6: 48 } }], rate: 5 }', 'key[1]', /expected one address/],
  ['{ key: [{ header: x }, ip, { header: X }], rate: 5 }', 'key[2]', /a part before it/],
  ['{ key: [ip, global], rate: 5 }', 'key[1]', /no `global` beside others/],
  ['{ key: apiKey, rate: 5 }', 'key', /nobody has `apiKey`/],
  ['{ key: { claim: org }, rate: 5 }', 'key', /nobody has `claim`/],
  [
    '{ key: ip, algorithm: fixedWindow, tiers: { a: { rate: 5, burst: 9 } } }',
    'tiers.a.burst',
    /a window has room for its rate/,
  ],
  [
    "{ key: ip, rate: 5, overrides: { 'ip:2001:db8::1': 'off' } }",
    'overrides[ip:2001:db8::1]',
    /as this key counts it/,
    'ip:2001:db8:0:0::/64',
  ],
  ["{ key: ip, rate: 5, overrides: { 'ip:localhost': 'off' } }", 'overrides[ip:localhost]', /an address/],
  ['[{ key: ip, rate: 5 }, { name: a, key: ip, rate: 5 }]', '[1]', /the same once more/],
  [
    '[{ name: a, key: ip, rate: 5 }, { name: a, key: global, rate: 9 }]',
    '[1].name',
    /another name than that of an earlier limit/,
  ],
];

describe('limits that would not do what they say', () => {
  it.each(FAULTS.map((row) => [row[0], row] as const))('%s', async (limit, [, key, message, suggestion]) => {
    const [fault, ...others] = await faultsOf(configOf([limit]));
    const own = key.startsWith('[') ? key : `.${key}`;
    expect(fault?.key.replaceAll('"', '')).toBe(`routes[r0].policies.rateLimit${own}`);
    expect(fault?.message).toMatch(message);
    expect([fault?.line, fault?.suggestion]).toEqual([10, suggestion]);
    expect(fault?.column).toBeGreaterThanOrEqual(7);
    expect(others).toEqual([]);
  });

  it.each(['key: global', 'cost: 2', 'perMessage: 1', 'onStoreError: closed'])(
    'the flood limit has no %s',
    async (option) => {
      const [fault] = await faultsOf(configOf([], `floodLimit: { rate: 5, ${option} }`));
      expect(fault).toMatchObject({ line: 2, key: expect.stringMatching(/^floodLimit\./) });
    },
  );
});

describe('a bucket that several routes have', () => {
  it.each([
    ['rate', '{ key: global, bucket: all, rate: 6 }'],
    ['per', '{ key: global, bucket: all, rate: 5, per: 1h }'],
    ['burst', '{ key: global, bucket: all, rate: 5, burst: 2 }'],
    ['key', '{ key: ip, bucket: all, rate: 5 }'],
    ['algorithm', '{ key: global, bucket: all, rate: 5, algorithm: slidingWindow }'],
    ['precision', '{ key: global, bucket: all, rate: 5, precision: leased }'],
    ['overrides', "{ key: global, bucket: all, rate: 5, overrides: { all: 'off' } }"],
  ])('says the same %s on each', async (term, limit) => {
    const faults = await faultsOf(configOf(['{ key: global, bucket: all, rate: 5 }', limit]));
    expect(faults).toMatchObject([
      {
        line: 16,
        key: `routes[r1].policies.rateLimit.${term}`,
        message: expect.stringMatching(
          `^expected the same \`${term}\` as \\S+:5:5 \\(route "r0"\\) says: both have the bucket \`all\``,
        ),
      },
    ]);
  });

  it('may cost something else on each, and be refused to nobody', async () => {
    const limits = ['', ', cost: 2', ', mode: shadow', ', onStoreError: open'];
    const configs = limits.map((more) => `{ key: global, bucket: all, rate: 5${more} }`);
    expect(await faultsOf(configOf(configs))).toEqual([]);
  });

  it('is compared with those of decorators', async () => {
    @Controller('made')
    @Public()
    class MadeController {
      @Get()
      @RateLimit([
        { key: 'ip', rate: 9 },
        { key: 'global', bucket: 'all', rate: 7 },
      ])
      one(): string {
        return '';
      }
    }
    @Module({ controllers: [MadeController] })
    class MadeModule {}
    const faults = await faultsOf(configOf(['{ key: global, bucket: all, rate: 5 }']), [MadeModule]);
    expect(faults).toMatchObject([
      {
        file: 'test/policies/limit-faults.e2e-spec.ts',
        key: 'MadeController.one  policies.rateLimit[1].rate',
        message: expect.stringContaining('r0'),
      },
    ]);
  });

  it('of a decorator is told with the place where something is wrong with it', () => {
    const decorate = (): unknown =>
      RateLimit({ key: 'ip', rate: 5, cost: { methods: { GTE: 0 } } })(class Made {});
    expect(decorate).toThrow(/GTE.*GET/);
  });
});
