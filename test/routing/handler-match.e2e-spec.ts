import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Module, Param } from '@nestjs/common';
import { ConfigError } from '../../src/config/config-fault.ts';
import { Public } from '../../src/policies/authentication/authentication.policy.ts';
import { Match } from '../../src/routing/sources/match.decorator.ts';
import { checkGateway } from '../support/gateway.ts';
import { useShop } from '../support/shop.ts';

@Controller('matched')
@Match({ headers: { 'X-Beta': '1' } })
class MatchedController {
  @Get('field')
  @Public()
  field(): string {
    return 'handler';
  }

  @Get('host')
  @Match({ hosts: ['*.example.com'] })
  @Public()
  host(): string {
    return 'handler';
  }

  @Get('values')
  @Match({ query: { lang: { regex: 'de|en' } }, cookies: { track: { present: true } } })
  @Public()
  values(): string {
    return 'handler';
  }

  @Get('alone')
  @Public()
  alone(): string {
    return 'handler';
  }

  @Get('packages/:name')
  @Match({ encodedSlashes: 'pass' })
  @Public()
  packages(@Param('name') name: string): string {
    return name;
  }

  @Get('names/:name')
  @Match({})
  @Public()
  names(@Param('name') name: string): string {
    return name;
  }
}

class MisplacedController {
  @Match({ hosts: ['a.test'] })
  nothing(): void {}
}
Controller('misplaced')(MisplacedController);

@Module({ controllers: [MatchedController] })
class MatchedModule {}

@Module({ controllers: [MisplacedController] })
class MisplacedModule {}

const policies = { authentication: 'public' };
const holder = useShop({
  routes: [
    { id: 'field', match: { path: '/matched/field' }, respond: { body: 'file' }, policies },
    { id: 'host', match: { path: '/matched/host' }, respond: { body: 'file' }, policies },
    { id: 'values', match: { path: '/matched/values' }, respond: { body: 'file' }, policies },
    { id: 'hosted', match: { hosts: ['a.test'], path: '/*' }, respond: { body: 'hosted' }, policies },
  ],
  modules: [MatchedModule],
});

describe('a handler that asks for more than a path', () => {
  it.each<[string, Record<string, string>, string]>([
    ['/matched/field', { 'x-beta': '1' }, 'handler'],
    ['/matched/field', {}, 'file'],
    ['/matched/host', { host: 'api.example.com' }, 'handler'],
    ['/matched/host', { host: 'example.com' }, 'file'],
    ['/matched/values?lang=de', { cookie: 'a=b; track=x' }, 'handler'],
    ['/matched/values?lang=de', {}, 'file'],
    ['/matched/values?lang=de&lang=en', { cookie: 'track=x' }, 'file'],
    ['/matched/packages/@a%2Fb', {}, '@a/b'],
    // The path of a controller is its own at every host.
    ['/matched/field', { 'x-beta': '1', host: 'a.test' }, 'handler'],
    ['/matched/names/x', { host: 'a.test' }, 'x'],
    ['/matched/other', { host: 'a.test' }, 'hosted'],
  ])('answers %s with %j as the %s', async (path, headers, body) => {
    expect((await holder.shop.call(path, { headers })).text).toBe(body);
  });

  it('leaves what does not fit to nobody, where the file has nothing for it', async () => {
    expect((await holder.shop.call('/matched/alone')).status).toBe(404);
    expect((await holder.shop.call('/matched/alone', { headers: { 'x-beta': '1' } })).status).toBe(200);
  });

  it('is given an encoded slash only if it says so', async () => {
    expect((await holder.shop.call('/matched/names/a%2Fb')).status).toBe(400);
    expect((await holder.shop.call('/matched/names/b')).text).toBe('b');
  });

  it('owns its path for other methods, where it fits', async () => {
    const headers = { 'x-beta': '1' };
    expect((await holder.shop.call('/matched/alone', { method: 'POST', headers })).status).toBe(405);
    expect(
      (await holder.shop.call('/matched/names/x', { method: 'POST', headers: { host: 'a.test' } })).status,
    ).toBe(405);
  });

  it('has to be one', async () => {
    const config = 'version: 1\ndefaults: { policies: { authentication: public } }\n';
    const fault = await checkGateway({ config, modules: [MisplacedModule] }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect((fault as ConfigError).faults).toEqual([
      expect.objectContaining({
        file: 'MisplacedController.nothing',
        key: 'match',
        message: expect.stringContaining('has no effect here'),
      }),
    ]);
  });

  it('is told what is wrong with its conditions when the class is defined', () => {
    expect(() => Match({ query: { a: { regex: '(?=a)' } } })(MatchedController)).toThrow(
      /MatchedController .*match\.query\.a\.regex .*RE2/,
    );
  });
});
