import { describe, expect, it } from '@jest/globals';
import { chooseCoding, CODINGS, refusesPlain } from './accept-encoding.ts';
import { compileTypes, DEFAULT_TYPES } from './compressible.ts';
import { Compressors } from './compressors.ts';

describe('chooseCoding', () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['x-gzip', 'gzip'],
    ['gzip, deflate, br, zstd', 'zstd'],
    ['gzip, deflate, br', 'br'],
    ['gzip;q=1.0, br;q=0.999', 'gzip'],
    ['br ; q=0.2 , gzip ; Q=0.3', 'gzip'],
    ['gzip;q=0', undefined],
    ['gzip;q=0.000, br', 'br'],
    ['*', 'zstd'],
    ['*;q=0.5, zstd;q=0', 'br'],
    ['*;q=0', undefined],
    ['gzip;q=0, identity;q=0', undefined],
    ['gzip;q=0, *;q=0', undefined],
    ['identity;q=0, *;q=0', undefined],
    ['*;q=0, gzip', 'gzip'],
    ['*;q=0, gzip;q=0.001', 'gzip'],
    ['*;q=0, identity', undefined],
    ['*;q=0, identity;q=0.1, br;q=0.1', 'br'],
    ['identity;q=0, *', 'zstd'],
    ['identity;q=0, gzip;q=0.1, *;q=0', 'gzip'],
    ['gzip;q=0, *', 'zstd'],
    ['zstd;q=0, br;q=0, gzip;q=0, *', undefined],
    // `*` stands for what is not named, the answer as it is too.
    ['zstd;q=0.2, br;q=0.2, gzip;q=0.2, *;q=0.5', undefined],
    ['gzip;q=0.2, identity;q=0.1, *;q=0', 'gzip'],
    ['identity', undefined],
    ['identity;q=0, gzip', 'gzip'],
    ['identity;q=0', undefined],
    ['identity;q=0.5, gzip;q=0.4', undefined],
    ['identity;q=0.5, gzip;q=0.5', 'gzip'],
    ['deflate, compress', undefined],
    ['gzip;q=2', undefined],
    ['gzip;q=-1', undefined],
    ['gzip;q=', undefined],
    ['gzip;level=9', undefined],
    ['gzi p', undefined],
    [`${'a,'.repeat(8000)}gzip`, 'gzip'],
  ])('%s: %s', (field, coding) => {
    expect(chooseCoding(field, CODINGS)).toBe(coding);
  });
});

describe('refusesPlain', () => {
  it.each([
    [undefined, false],
    ['', false],
    ['gzip', false],
    ['gzip;q=0', false],
    ['identity;q=0', true],
    ['identity;q=0.000, gzip', true],
    ['identity;q=0.001', false],
    ['*;q=0', true],
    ['gzip;q=0, *;q=0', true],
    ['*;q=0, identity', false],
    ['*;q=0, identity;q=0.5', false],
    ['*;q=0.5, identity;q=0', true],
  ])('%s: %s', (field, isRefused) => {
    expect(refusesPlain(field)).toBe(isRefused);
  });
});

describe('compileTypes', () => {
  it.each([
    ['text/html; charset=utf-8', true],
    ['Application/JSON', true],
    ['application/problem+json', true],
    ['application/graphql-response+json;charset=utf-8', true],
    ['image/svg+xml', true],
    ['image/png', false],
    ['application/octet-stream', false],
    ['text/event-stream', false],
    ['text/event-stream;charset=utf-8', false],
    ['application/grpc', false],
    ['application/grpc-web+json', false],
    ['', false],
  ])('%s: %s', (type, isFit) => {
    expect(compileTypes(DEFAULT_TYPES)(type)).toBe(isFit);
    expect(compileTypes(['text/*', 'multipart/*'])('multipart/x-mixed-replace')).toBe(false);
  });
});

describe('Compressors', () => {
  it('are as many as there may be, and one more when one of them has ended', async () => {
    const compressors = new Compressors(2);
    const levels = { gzip: 6, br: 4, zstd: 3 };
    const first = compressors.make('gzip', levels);
    expect(compressors.make('br', levels)).toBeDefined();
    expect(compressors.make('zstd', levels)).toBeUndefined();
    await new Promise((resolve) => first?.once('close', resolve).destroy());
    expect(compressors.make('zstd', levels)).toBeDefined();
  });
});
