import { describe, expect, it } from '@jest/globals';
import { ComponentStore } from './components.ts';

const text = { type: 'string' };
const number = { type: 'number' };
const componentsOf = (store: ComponentStore) => store.toComponents({}, {});

describe('ComponentStore', () => {
  it('keeps what is equal once, and gives what differs another name', () => {
    const store = new ComponentStore();
    const refs = [text, number, { ...text }, number].map((one) =>
      store.schema('Thing', one).$ref.split('/').at(-1),
    );
    expect(refs).toEqual(['Thing', 'Thing2', 'Thing', 'Thing2']);
    expect(componentsOf(store).schemas).toEqual({ Thing: text, Thing2: number });
  });

  it('does the same with answers', () => {
    const store = new ComponentStore();
    const refs = ['a', 'b', 'a'].map((description) => store.response('Problem400', { description }).$ref);
    expect(refs).toEqual([
      '#/components/responses/Problem400',
      '#/components/responses/Problem4002',
      '#/components/responses/Problem400',
    ]);
  });

  it('writes names that components may have', () => {
    expect(new ComponentStore().schema('a/b<c> ~', text)).toEqual({ $ref: '#/components/schemas/a_b_c___' });
  });

  it('moves definitions to the components, and what refers to them along', () => {
    const store = new ComponentStore();
    const lifted = store.lift({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'array',
      items: { $ref: '#/$defs/Tree' },
      $defs: {
        Tree: {
          type: 'object',
          properties: { children: { type: 'array', items: { $ref: '#/$defs/Tree' } } },
        },
      },
    });
    expect(lifted).toEqual({ type: 'array', items: { $ref: '#/components/schemas/Tree' } });
    expect(componentsOf(store).schemas).toEqual({
      Tree: {
        type: 'object',
        properties: { children: { type: 'array', items: { $ref: '#/components/schemas/Tree' } } },
      },
    });
  });

  it('renames a definition whose name is taken, in every reference to it', () => {
    const store = new ComponentStore();
    store.schema('Item', number);
    const lifted = store.lift({ items: { $ref: '#/$defs/Item' }, $defs: { Item: text } });
    expect(lifted).toEqual({ items: { $ref: '#/components/schemas/Item2' } });
    expect(componentsOf(store).schemas).toEqual({ Item: number, Item2: text });
  });

  it('makes what refers to itself once', () => {
    const store = new ComponentStore();
    const make = () => ({ properties: { self: store.recursive('Self', make) } });
    expect(store.recursive('Self', make)).toEqual({ $ref: '#/components/schemas/Self' });
    expect(componentsOf(store).schemas).toEqual({
      Self: { properties: { self: { $ref: '#/components/schemas/Self' } } },
    });
  });

  it('is in the order of names, whatever came first', () => {
    const store = new ComponentStore();
    for (const name of ['b', 'c', 'a']) store.schema(name, text);
    expect(Object.keys(componentsOf(store).schemas)).toEqual(['a', 'b', 'c']);
  });
});
