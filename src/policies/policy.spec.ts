import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { definePolicy } from './policy.ts';

const policy = definePolicy({
  name: 'sample',
  schema: z.strictObject({ size: z.int().default(7), name: z.string().toUpperCase() }),
  summary: 'A sample.',
  per: 'answer',
  before: 'body',
  refusesWith: [],
  describe: ({ name }) => name,
});

const optionsOn = (target: object): unknown => Reflect.getMetadata(policy.metadataKey, target);

describe('definePolicy', () => {
  it('keeps on a class what the schema makes of the argument', () => {
    @policy.decorator({ name: 'abc' })
    class Sample {}
    expect(optionsOn(Sample)).toEqual({ size: 7, name: 'ABC' });
  });

  it('keeps on a handler what the schema makes of the argument', () => {
    class Sample {
      @policy.decorator({ name: 'x', size: 1 })
      handle(): void {}
    }
    expect(optionsOn(Sample.prototype.handle.bind(null))).toBeUndefined();
    expect(optionsOn(Reflect.get(Sample.prototype, 'handle') as object)).toEqual({ size: 1, name: 'X' });
  });

  it('yields the same object as YAML', () => {
    @policy.decorator({ name: 'abc', size: 3 })
    class Sample {}
    expect(optionsOn(Sample)).toEqual(policy.schema.parse({ name: 'abc', size: 3 }));
  });

  it('keeps `off` as it is', () => {
    @policy.decorator('off')
    class Sample {}
    expect(optionsOn(Sample)).toBe('off');
  });

  it('says where a wrong argument stands and what was expected, when the class is defined', () => {
    expect(() => policy.decorator({ name: 'a', size: 1.5 })(class Sample {})).toThrow(
      /^Sample {2}sample\.size {2}expected a whole number/,
    );
    const misspelt = { name: 'a', sise: 1 };
    expect(() => {
      class Sample {
        @policy.decorator(misspelt)
        handle(): void {}
      }
      return Sample;
    }).toThrow(/^Sample\.handle {2}sample\.sise {2}unknown key; did you mean "size"\?/);
  });

  it('names its metadata after itself', () => {
    expect(policy.metadataKey).toBe('gatehouse:policy:sample');
  });
});
