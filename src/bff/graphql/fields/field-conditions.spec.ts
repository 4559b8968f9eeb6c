import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Args, Field, ID, ObjectType, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { Exchange } from '../../../exchange/exchange.ts';
import { AuthorizationStageFactory } from '../../../policies/authorization/authorization.stage.ts';
import { Authorization, When } from '../../../policies/authorization/authorization.policy.ts';
import { policyRegistry } from '../../../policies/order.ts';
import type { StageFactory } from '../../../policies/stage-factory.ts';
import { startBff, testPrincipal, type BffApp } from '../../bff-app.fixture.ts';
import { postTo } from '../graphql-client.fixture.ts';
import { Calls } from './calls.decorator.ts';
import { Mask } from './mask.decorator.ts';

@ObjectType('ConditionDocument')
class Document {
  @Field(() => ID)
  id!: string;

  owner!: string;

  // Of each object by itself: whose it is.
  @When('parent.owner == principal.id')
  @Field(() => String, { nullable: true })
  text!: string | null;

  @Mask({ unless: { when: "parent.owner == principal.id || 'editor' in principal.roles" }, with: '***' })
  @Field()
  draft!: string;

  // Nobody has it, so that it cannot be told.
  @When('parent.nothing == principal.id')
  @Field(() => String, { nullable: true })
  never!: string | null;
}

const documents = ['ada', 'bob'].map((owner, at) => ({
  id: String(at),
  owner,
  text: `of ${owner}`,
  draft: 'd',
  never: 'n',
}));

@Resolver(() => Document)
class DocumentResolver {
  runs = 0;

  @Query(() => [Document])
  documents(): object[] {
    return documents;
  }

  @Authorization({ when: "args.owner == principal.id || 'admin' in principal.roles" })
  @Query(() => [Document], { nullable: true })
  documentsOf(@Args('owner') owner: string): object[] {
    this.runs += 1;
    return documents.filter((one) => one.owner === owner);
  }

  @When('size(args.tags) <= 2 && args.depth <= 3')
  @Query(() => String, { nullable: true })
  search(@Args('tags', { type: () => [String] }) tags: string[], @Args('depth') depth: number): string {
    return `${tags.length} ${depth}`;
  }

  @When("args.word != '' && parent.owner == principal.id")
  @Calls()
  @ResolveField(() => String, { nullable: true })
  noted(@Args('word') word: string): string {
    return word;
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
const roles: StageFactory = {
  policy: policyRegistry.rateLimit,
  compile: () => ({
    enter(exchange: Exchange) {
      const { headers } = exchange.request;
      exchange.principal = {
        ...testPrincipal(String(headers['x-id'])),
        roles: String(headers['x-roles']).split(' '),
      };
    },
  }),
};

let bff: BffApp;
const modules = [{ module: class ConditionModule {}, providers: [DocumentResolver] }];
beforeAll(async () => {
  bff = await startBff({ modules, factories: [authorization, roles] });
});
afterAll(() => bff.stop());

async function ask(query: string, id: string, role = ''): Promise<unknown> {
  const { data, errors } = (await postTo(bff.url, { query }, { 'x-id': id, 'x-roles': role })).body;
  return errors === undefined
    ? { data }
    : { data, codes: errors.map(({ extensions }) => extensions?.['code']) };
}

const DENIED = 'permission-denied';

describe('a condition on a field of GraphQL', () => {
  it('goes by the object that it is a field of', async () => {
    expect(await ask('{ documents { id text } }', 'ada')).toEqual({
      data: {
        documents: [
          { id: '0', text: 'of ada' },
          { id: '1', text: null },
        ],
      },
      codes: [DENIED],
    });
  });

  it('masks what it does not hold for', async () => {
    const drafts = (...texts: string[]) => ({ data: { documents: texts.map((draft) => ({ draft })) } });
    expect(await ask('{ documents { draft } }', 'ada')).toEqual(drafts('d', '***'));
    expect(await ask('{ documents { draft } }', 'eve', 'editor')).toEqual(drafts('d', 'd'));
    expect(await ask('{ documents { draft } }', 'eve')).toEqual(drafts('***', '***'));
  });

  it('goes by the arguments, before the resolver runs, for each alias by itself', async () => {
    const resolver = bff.app.get(DocumentResolver);
    const query = '{ a: documentsOf(owner: "ada") { id } b: documentsOf(owner: "bob") { id } }';
    expect(await ask(query, 'ada')).toEqual({ data: { a: [{ id: '0' }], b: null }, codes: [DENIED] });
    expect(resolver.runs).toBe(1);
    expect(await ask(query, 'eve', 'admin')).toEqual({ data: { a: [{ id: '0' }], b: [{ id: '1' }] } });
  });

  it('knows arguments by variables and by lists, and looks at only so many elements', async () => {
    expect(await ask('{ search(tags: ["a", "b"], depth: 3) }', 'ada')).toEqual({ data: { search: '2 3' } });
    expect(await ask('{ search(tags: ["a", "b", "c"], depth: 3) }', 'ada')).toMatchObject({
      codes: [DENIED],
    });
    const many = JSON.stringify(Array.from({ length: 65 }, () => 'a'));
    expect(await ask(`{ search(tags: ${many}, depth: 3) }`, 'ada')).toMatchObject({ codes: [DENIED] });
  });

  it('goes by both', async () => {
    const query = '{ documents { noted(word: "x") } }';
    expect(await ask(query, 'bob')).toEqual({
      data: { documents: [{ noted: null }, { noted: 'x' }] },
      codes: [DENIED],
    });
  });

  it('refuses where it cannot be told', async () => {
    expect(await ask('{ documents { never } }', 'ada')).toEqual({
      data: { documents: [{ never: null }, { never: null }] },
      codes: [DENIED, DENIED],
    });
  });
});

describe('what cannot be told of a field', () => {
  it('is a fault, with the nearest argument', async () => {
    @Resolver()
    class WrongResolver {
      @When('args.onwer == principal.id')
      @Query(() => String)
      wrong(@Args('owner') owner: string): string {
        return owner;
      }
    }
    const wrong = [{ module: class WrongModule {}, providers: [WrongResolver] }];
    await expect(startBff({ modules: wrong, factories: [authorization, roles] })).rejects.toThrow(
      /there is no `args.onwer`; did you mean `args.owner`/,
    );
  });
});
