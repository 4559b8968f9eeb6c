import { describe, expect, it } from '@jest/globals';
import { namesRedis, redisAddress, redisPlaceOf, redisUrlFault } from './redis-url.ts';

describe('redisPlaceOf', () => {
  it('reads one server, with the usual port and database', () => {
    expect(redisPlaceOf('redis://cache')).toEqual({
      kind: 'single',
      isTls: false,
      hosts: [{ host: 'cache', port: 6379 }],
      master: '',
      database: 0,
      username: undefined,
      password: undefined,
    });
  });

  it.each([
    ['redis://me:a%40b%3Ac@[::1]:7000/3', { hosts: [{ host: '::1', port: 7000 }], database: 3, username: 'me', password: 'a@b:c' }],
    ['redis://:pass:word@h', { username: undefined, password: 'pass:word' }],
    ['rediss+sentinel://one,two:9/main.1/5', { kind: 'sentinel', isTls: true, hosts: [{ host: 'one', port: 26_379 }, { host: 'two', port: 9 }], master: 'main.1', database: 5 }],
    ['redis+cluster://one,two:7001/0', { kind: 'cluster', hosts: [{ host: 'one', port: 6379 }, { host: 'two', port: 7001 }], master: '', database: 0 }],
  ])('reads %s', (url, place) => {
    expect(redisPlaceOf(url)).toMatchObject(place);
  }); // prettier-ignore
});

describe('redisUrlFault', () => {
  it.each([
    ['http://h', /expected redis:\/\/ or rediss:/],
    ['redis://a b', /without white space/],
    ['redis://h?x=1', /no query/],
    ['redis://a@b@c', /%40 for an @/],
    ['redis://h/main', /the number of a database/],
    ['redis://one,two', /several hosts/],
    ['redis://h:99999', /./],
    ['redis://us%er:s3cret@h', /%25 for a percent sign/],
    ['redis+sentinel://one', /the name of the master/],
    ['redis+cluster://one/2', /no database/],
  ])('says what is expected in place of %s, and no part of it', (url, said) => {
    const fault = redisUrlFault(url);
    expect(fault).toMatch(said);
    expect(fault).not.toContain('s3cret');
    expect(() => redisPlaceOf(url)).toThrow(`REDIS_URL: ${fault}`);
  });

  it('has nothing to say of what can be used', () => {
    expect(redisUrlFault('rediss+sentinel://u:p@one:1,two:2/master/1')).toBeUndefined();
  });
});

describe('a place', () => {
  it.each([
    ['redis://u:s3cret@[::1]/1', '[::1]:6379'],
    ['redis+cluster://a,b:1', 'cluster of a:6379,b:1'],
    ['redis+sentinel://a/main', 'main of Sentinels a:26379'],
  ])('%s is named to people without its secrets', (url, name) => {
    expect(redisAddress(redisPlaceOf(url))).toBe(name);
  });

  it.each([
    [{ REDIS_URL: 'redis://h' }, true],
    [{ REDIS_URL_FILE: '/run/redis' }, true],
    [{ REDIS_URL: '' }, false],
    [{}, false],
  ])('is said by %j: %s', (environment, isSaid) => {
    expect(namesRedis(environment)).toBe(isSaid);
  });
});
