import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Field,
  Float,
  ID,
  Int,
  InterfaceType,
  Mutation,
  ObjectType,
  Query,
  registerEnumType,
  ResolveField,
  Resolver,
} from '@nestjs/graphql';
import { GraphQLScalarType } from 'graphql';
import { Exchange } from '../../../exchange/exchange.ts';
import { Authentication } from '../../../policies/authentication/authentication.policy.ts';
import { AuthorizationStageFactory } from '../../../policies/authorization/authorization.stage.ts';
import { Permissions, Roles } from '../../../policies/authorization/authorization.policy.ts';
import { Deadline } from '../../../policies/deadline/deadline.policy.ts';
import { RateLimit } from '../../../policies/rate-limit/rate-limit.policy.ts';
import { RateLimitStageFactory } from '../../../policies/rate-limit/rate-limit.stage.ts';
import { MemoryTokenBucket } from '../../../policies/rate-limit/token-bucket.memory.ts';
import { policyRegistry } from '../../../policies/order.ts';
import type { StageFactory } from '../../../policies/stage-factory.ts';
import type { DeclaredPolicies } from '../../../routing/route.ts';
import { startBff, testPrincipal, type BffApp } from '../../bff-app.fixture.ts';
import { Calls } from './calls.decorator.ts';
import { postTo } from '../graphql-client.fixture.ts';
import { Mask } from './mask.decorator.ts';

@InterfaceType('GuardedNamed', { resolveType: () => 'GuardedEmployee' })
abstract class Named {
  @Field(() => String, { nullable: true })
  secret!: string | null;
}

@ObjectType('GuardedEmployee', { implements: () => [Named] })
class Employee implements Named {
  @Field()
  name!: string;

  @Roles('hr')
  @Field(() => Number, { nullable: true })
  salary!: number | null;

  @Mask({ unless: { anyRole: ['hr'] } })
  @Field(() => String, { nullable: true })
  iban!: string | null;

  @Mask({ unless: { anyRole: ['hr'] }, with: '***' })
  @Field()
  phone!: string;

  @Roles('hr')
  secret!: string | null;
}

@Roles('admin')
@ObjectType('GuardedVault')
class Vault {
  @Field()
  gold!: string;
}

const employees = [
  { name: 'Ada', salary: 1, iban: 'AT1', phone: '+43', secret: 's' },
  { name: 'Bob', salary: 2, iban: 'AT2', phone: '+44', secret: 's' },
];

@Resolver(() => Employee)
class StaffResolver {
  fired = 0;
  notes = 0;

  @Query(() => [Employee])
  staff(): object[] {
    return employees;
  }

  @Query(() => [Named])
  named(): object[] {
    return employees;
  }

  @Query(() => Vault, { nullable: true })
  vault(): Vault {
    return { gold: 'gold' };
  }

  @Permissions('staff:fire', 'staff:read')
  @Mutation(() => String, { nullable: true })
  fire(): string {
    return `fired ${(this.fired += 1)}`;
  }

  @Roles('hr')
  @Calls()
  @ResolveField(() => String, { nullable: true })
  notes_(): string {
    this.notes += 1;
    return 'notes';
  }
}

const authorization = {
  policy: policyRegistry.authorization,
  compile: (input) =>
    new AuthorizationStageFactory().compile({
      ...input,
      policies: { ...input.policies, authentication: { schemes: ['jwt'] } },
    }),
} satisfies StageFactory;
/** Takes roles and permissions from header fields. */
const roles: StageFactory = {
  policy: policyRegistry.rateLimit,
  compile: () => ({
    enter(exchange: Exchange) {
      const list = (name: string): string[] => String(exchange.request.headers[name] ?? '').split(' ');
      exchange.principal = {
        ...testPrincipal('u'),
        roles: list('x-roles'),
        permissions: list('x-permissions'),
      };
    },
  }),
};
const factories = [authorization, roles];
const modules = [{ module: class StaffModule {}, providers: [StaffResolver] }];

let bff: BffApp;
let whole: BffApp;
let staff: StaffResolver;
beforeAll(async () => {
  bff = await startBff({ modules, factories });
  whole = await startBff({ modules, factories, graphql: { denied: 'operation' } });
  staff = bff.app.get(StaffResolver);
});
afterAll(() => Promise.all([bff.stop(), whole.stop()]));

const denied = (...path: unknown[]) =>
  expect.objectContaining({ path, extensions: expect.objectContaining({ code: 'permission-denied' }) });

describe('a guarded field', () => {
  it('is null with an error at its path, under every alias and in every fragment, cold and compiled', async () => {
    const query = '{ staff { name pay: salary ...F } } fragment F on GuardedEmployee { salary }';
    for (let run = 0; run < 6; run += 1) {
      const { body } = await postTo(bff.url, { query });
      expect(body.data).toEqual({
        staff: [
          { name: 'Ada', pay: null, salary: null },
          { name: 'Bob', pay: null, salary: null },
        ],
      });
      expect(body.errors).toHaveLength(4);
      expect(body.errors).toEqual(
        expect.arrayContaining([denied('staff', 0, 'pay'), denied('staff', 1, 'salary')]),
      );
    }
    const allowed = await postTo(bff.url, { query }, { 'x-roles': 'hr' });
    expect(allowed.body.errors).toBeUndefined();
    expect(allowed.body.data).toMatchObject({ staff: [{ pay: 1, salary: 1 }, { pay: 2 }] });
    expect((await postTo(bff.url, { query })).body.errors).toHaveLength(4);
  });

  it('does not run its resolver, nor does a mutation', async () => {
    const { body } = await postTo(bff.url, { query: '{ staff { notes_ } }' });
    expect([body.errors?.length, staff.notes]).toEqual([2, 0]);
    const half = { 'x-permissions': 'staff:fire' };
    const refused = await postTo(bff.url, { query: 'mutation { fire }' }, half);
    expect(refused.body.errors).toEqual([denied('fire')]);
    expect(staff.fired).toBe(0);
    const both = { 'x-permissions': 'staff:read staff:fire' };
    expect((await postTo(bff.url, { query: 'mutation { fire }' }, both)).body.data).toEqual({
      fire: 'fired 1',
    });
  });

  it('is guarded through an interface, and by its type', async () => {
    const { body } = await postTo(bff.url, { query: '{ named { secret } vault { gold } }' });
    expect(body.data).toEqual({ named: [{ secret: null }, { secret: null }], vault: null });
    expect(body.errors).toEqual(
      expect.arrayContaining([denied('named', 0, 'secret'), denied('vault', 'gold')]),
    );
    const { body: allowed } = await postTo(bff.url, { query: '{ vault { gold } }' }, { 'x-roles': 'admin' });
    expect(allowed.data).toEqual({ vault: { gold: 'gold' } });
  });

  it('costs the whole operation where that is chosen, before anything runs', async () => {
    const { status, body } = await postTo(whole.url, { query: '{ staff { name salary } }' });
    expect([status, body.code]).toEqual([403, 'permission-denied']);
    expect((await postTo(whole.url, { query: '{ staff { name iban } }' })).status).toBe(200);
  });
});

describe('a masked field', () => {
  it('shows the mask without an error', async () => {
    const query = '{ staff { iban phone } }';
    const { body } = await postTo(bff.url, { query });
    expect(body).toEqual({
      data: { staff: Array.from({ length: 2 }, () => ({ iban: null, phone: '***' })) },
    });
    const { body: seen } = await postTo(bff.url, { query }, { 'x-roles': 'hr' });
    expect(seen.data).toMatchObject({ staff: [{ iban: 'AT1', phone: '+43' }, {}] });
  });
});

describe('authentication and rate limits of fields', () => {
  @Resolver()
  class LimitedResolver {
    ran = 0;

    @Authentication({ schemes: ['jwt'] })
    @RateLimit([{ key: 'principal', rate: 2, per: '1h' }])
    @Query(() => Number, { nullable: true })
    limited(): number {
      return (this.ran += 1);
    }
  }
  const limits = new RateLimitStageFactory(new MemoryTokenBucket(), new MemoryTokenBucket());
  const scheme = {
    policy: policyRegistry.deadline,
    compile: () => ({
      enter(exchange: Exchange) {
        exchange.principal = { ...testPrincipal('u'), scheme: 'apiKey' };
      },
    }),
  } satisfies StageFactory;
  const limited = [{ module: class LimitedModule {}, providers: [LimitedResolver] }];
  const door: DeclaredPolicies = { authentication: { schemes: ['jwt', 'apiKey'] } };
  const user = { 'x-test-user': 'a' };

  it('take a token for each run of the field, and do not run it without one', async () => {
    const app = await startBff({ modules: limited, factories: [limits], door });
    const { body } = await postTo(app.url, { query: '{ a: limited b: limited c: limited }' }, user);
    expect(body.data).toEqual({ a: 1, b: 2, c: null });
    expect(body.errors).toEqual([
      expect.objectContaining({
        path: ['c'],
        extensions: expect.objectContaining({ code: 'rate-limited', retryAfterMs: expect.any(Number) }),
      }),
    ]);
    expect(app.app.get(LimitedResolver).ran).toBe(2);
    await app.stop();
  });

  it('refuse who came with another credential, without a token', async () => {
    const app = await startBff({ modules: limited, factories: [scheme, limits], door });
    const { body } = await postTo(app.url, { query: '{ limited }' }, user);
    expect(body.errors).toEqual([denied('limited')]);
    await app.stop();
  });

  it('keep the gateway from starting where they cannot hold', async () => {
    const keysOnly: DeclaredPolicies = { authentication: { schemes: ['apiKey'] } };
    await expect(startBff({ modules: limited, factories: [limits], door: keysOnly })).rejects.toThrow(
      'Query.limited: asks for jwt, but the GraphQL door takes only apiKey',
    );
    await expect(startBff({ modules: limited, factories: [limits] })).rejects.toThrow(
      'Query.limited: asks for jwt, but the GraphQL door looks at no credentials',
    );
    await expect(startBff({ modules: limited, door })).rejects.toThrow(
      'Query.limited: there is no limit stage',
    );

    @Resolver(() => Vault)
    class PartResolver {
      @RateLimit({ rate: 1 })
      @ResolveField(() => String)
      silver(): string {
        return 'silver';
      }
    }
    const part = [...limited, { module: class PartModule {}, providers: [PartResolver, StaffResolver] }];
    await expect(startBff({ modules: part, factories: [...factories, limits], door })).rejects.toThrow(
      'GuardedVault.silver: @RateLimit belongs to queries, mutations and subscriptions',
    );
  });
});

describe('a policy that cannot work', () => {
  it('keeps the gateway from starting: one that has no effect on a field', async () => {
    @Resolver()
    class SlowResolver {
      @Deadline('1s')
      @Query(() => String)
      slow(): string {
        return 'slow';
      }
    }
    const start = startBff({ modules: [{ module: class SlowModule {}, providers: [SlowResolver] }] });
    await expect(start).rejects.toThrow('SlowResolver.slow: the policy "deadline" has no effect');
  });

  it('keeps the gateway from starting: a role at a public door', async () => {
    const start = startBff({ modules, factories: [new AuthorizationStageFactory()] });
    await expect(start).rejects.toThrow(/GuardedVault|GuardedEmployee|Mutation.fire/);
    await expect(startBff({ modules })).rejects.toThrow('no authorize stage');
  });
});

describe('a mask that its field cannot show', () => {
  enum Grade {
    Low = 'low',
    High = 'high',
  }
  registerEnumType(Grade, { name: 'MaskGrade' });
  const Odd = new GraphQLScalarType({
    name: 'MaskOdd',
    serialize: (value) => {
      if (value !== 1) throw new TypeError('even');
      return value;
    },
  });
  const FITS: readonly (readonly [type: () => unknown, mask: string | number | boolean, isFit: boolean])[] = [
    [() => String, '***', true],
    [() => String, 0, false],
    [() => Int, 0, true],
    [() => Int, '***', false],
    [() => Int, '7', false],
    [() => Int, 1.5, false],
    [() => Float, 1.5, true],
    [() => Boolean, false, true],
    [() => Boolean, 0, false],
    [() => ID, 'x', true],
    [() => Grade, Grade.Low, true],
    [() => Grade, 'other', false],
    [() => Odd, 1, true],
    [() => Odd, 2, false],
    [() => [String], '***', false],
    [() => Vault, '***', false],
  ];

  const started = async (type: () => unknown, mask: string | number | boolean | null, nullable: boolean) => {
    @Resolver()
    class MaskedResolver {
      @Mask({ unless: { anyRole: ['hr'] }, with: mask })
      @Query(type as () => string, { nullable })
      masked(): unknown {
        return null;
      }
    }
    const app = await startBff({ modules: [{ module: class M {}, providers: [MaskedResolver] }], factories });
    const { body } = await postTo(app.url, { query: '{ masked }' });
    await app.stop();
    return body;
  };

  it.each(FITS.map(([type, mask, isFit]) => ({ type, name: String(type), mask, isFit })))(
    '$name masked with $mask starts: $isFit',
    async ({ type, mask, isFit }) => {
      if (!isFit)
        return expect(started(type, mask, false)).rejects.toThrow(`@Mask shows ${JSON.stringify(mask)}`);
      // An enum is shown by its name.
      const shown = mask === Grade.Low ? 'Low' : mask;
      return expect(started(type, mask, false)).resolves.toEqual({ data: { masked: shown } });
    },
  );

  it('starts with null only where the field is nullable', async () => {
    await expect(started(() => String, null, false)).rejects.toThrow('Query.masked: @Mask needs a nullable');
    await expect(started(() => String, null, true)).resolves.toEqual({ data: { masked: null } });
  });
});
