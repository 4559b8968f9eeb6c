import { describe, expect, it } from '@jest/globals';
import { shownPath, shownQuery } from './shown-target.ts';

describe(shownPath.name, () => {
  it.each([
    ['/orders/1', '/orders/1'],
    ['/orders;jsessionid=s3cret/1;v=2', '/orders;*/1;*'],
    ['/orders%3Bjsessionid=s3cret/1', '/orders;*/1'],
    [`/${'x'.repeat(1023)}`, `/${'x'.repeat(1023)}`],
    [`/${'x'.repeat(1024)}`, `/${'x'.repeat(1023)}…`],
  ])('shows %p as %p', (path, shown) => expect(shownPath(path)).toBe(shown));
});

describe(shownQuery.name, () => {
  it.each([
    ['?page=1&size=20', '?page=&size='],
    ['?ids[]=1&filter.name=x&a-b=1', '?ids[]=&filter.name=&a-b='],
    ['?s3cret', '?*'],
    ['?', '?*'],
    ['?page=1&s3cret&', '?page=&*&*'],
    ['?czNjcmV0=', '?*'],
    ['?czNjcmV0==', '?*'],
    ['?=s3cret', '?*'],
    ['?a%3Ds3cret=1', '?*'],
    ['?a=1;token=s3cret', '?a='],
    ['?a;s3cret=1', '?*'],
    ['?{"token":"s3cret"}=1', '?*'],
    [`?${'n'.repeat(32)}=1`, `?${'n'.repeat(32)}=`],
    [`?${'n'.repeat(33)}=1`, '?*'],
    [`?${'a=1&'.repeat(15)}b=1`, `?${'a=&'.repeat(15)}b=`],
    [`?${'a=1&'.repeat(16)}b=1`, `?${'a=&'.repeat(16)}…`],
  ])('shows %p as %p', (query, shown) => expect(shownQuery(query)).toBe(shown));
});
