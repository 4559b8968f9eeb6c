import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { kindByHeader } from '../bff/view-variants.ts';
import { View } from '../bff/view.ts';
import { httpUpstream } from '../calls/http-upstream.ts';
import { ANSWER_METADATA, AnswersView, type DeclaredAnswer } from './answers.decorator.ts';
import { ComponentStore } from './components.ts';
import { viewParameters, viewSchema } from './view-contract.ts';

const upstream = httpUpstream('spec');
const user = upstream.get<{ id: string }, { name: string }>('contractSpec.user', '/users/{id}', {
  decode: z.object({ name: z.string() }),
  batch: { path: '/users', ids: 'ids', max: 10, list: 'items', key: () => '' },
});
const userSchema = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] };

const Profile = View.define('ContractSpecProfile')
  .input<{ id: string }>()
  .required('user', user, ({ input }) => input)
  .section('friend', user, ({ input }) => input);
const Page = View.define('ContractSpecPage')
  .input<{ id: string }>()
  .section('owner', user, ({ input }) => input, { fallback: () => ({ name: '' }) })
  .section('profile', Profile, ({ input }) => input)
  .list('people', user, ({ input }) => [input])
  .section('count', () => 1);

function described(decorator: MethodDecorator): DeclaredAnswer {
  class Handlers {
    handle(): void {}
  }
  const descriptor = Object.getOwnPropertyDescriptor(Handlers.prototype, 'handle');
  decorator(Handlers.prototype, 'handle', descriptor as TypedPropertyDescriptor<never>);
  return Reflect.getMetadata(ANSWER_METADATA, Handlers.prototype.handle) as DeclaredAnswer;
}

function schemasOf(declared: DeclaredAnswer) {
  const { view } = declared;
  if (view === undefined) throw new Error('says nothing of a view');
  const components = new ComponentStore();
  const schema = viewSchema(view, declared, components);
  return { schema, schemas: components.toComponents({}, {}).schemas, parameters: viewParameters(view) };
}

describe('the contract of a view', () => {
  const { schemas, parameters, schema } = schemasOf(described(AnswersView(Page)));

  it('says what the calls of its sections decode', () => {
    expect(schema).toEqual({ $ref: '#/components/schemas/ContractSpecPage' });
    expect(schemas['ContractSpecPage']).toMatchObject({
      type: 'object',
      properties: {
        owner: userSchema,
        people: {
          anyOf: [{ type: 'array', items: { anyOf: [userSchema, { type: 'null' }] } }, { type: 'null' }],
        },
        count: {},
        degraded: { type: 'array', items: { $ref: '#/components/schemas/Degradation' } },
      },
    });
    expect(schemas['ContractSpecPage']?.required).toBeUndefined();
  });

  it('tells what may be null: a section without a fallback, not one that is required', () => {
    expect(schemas['ContractSpecPage']?.properties?.['profile']).toEqual({
      anyOf: [{ $ref: '#/components/schemas/ContractSpecProfile' }, { type: 'null' }],
    });
    expect(schemas['ContractSpecProfile']?.properties).toEqual({
      user: userSchema,
      friend: { anyOf: [userSchema, { type: 'null' }] },
    });
  });

  it('lists what ?fields= takes, through nested views', () => {
    expect(parameters).toMatchObject([
      {
        name: 'fields',
        schema: {
          items: { enum: ['owner', 'profile', 'profile.user', 'profile.friend', 'people', 'count'] },
        },
      },
    ]);
  });

  it('takes schemas for sections that are no call', () => {
    const declared = described(AnswersView(Page, { count: z.int().nullable() }));
    expect(schemasOf(declared).schemas['ContractSpecPage']?.properties?.['count']).toEqual({
      type: ['integer', 'null'],
    });
  });

  it('has one shape for each kind of client, and the field that tells them apart', () => {
    const Pages = Page.variants(kindByHeader('x-device'), {
      mobile: (page) => page.without('people', 'profile').pick('owner', ({ name }) => name),
    });
    const variants = schemasOf(described(AnswersView(Pages, { count: z.int().nullable() })));
    expect(variants.schema).toEqual({
      anyOf: [
        { $ref: '#/components/schemas/ContractSpecPage' },
        { $ref: '#/components/schemas/ContractSpecPage.mobile' },
      ],
    });
    expect(Object.keys(variants.schemas['ContractSpecPage.mobile']?.properties ?? {})).toEqual([
      'owner',
      'count',
      'degraded',
    ]);
    expect(variants.schemas['ContractSpecPage.mobile']?.properties?.['owner']).toEqual({});
    const kinds = { mobile: { owner: z.string() } };
    const said = schemasOf(
      described(AnswersView(Pages, { owner: z.object({ name: z.string() }) }, { kinds })),
    );
    expect(said.schemas['ContractSpecPage.mobile']?.properties?.['owner']).toEqual({ type: 'string' });
    expect(said.schemas['ContractSpecPage']?.properties?.['owner']).toMatchObject({ type: 'object' });
    expect(variants.parameters[1]).toMatchObject({
      name: 'x-device',
      in: 'header',
      schema: { enum: ['mobile'] },
    });
  });
});
