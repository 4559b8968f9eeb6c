import { describe, expect, it } from '@jest/globals';
import { All, Controller, Get, Module, Param, Post } from '@nestjs/common';
import { ConfigError } from '../../src/config/config-fault.ts';
import { Authentication, Public } from '../../src/policies/authentication/authentication.policy.ts';
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

@Controller('rivals')
@Public()
class RivalsController {
  @Get(':id')
  plain(@Param('id') id: string): string {
    return `plain ${id}`;
  }

  @Get(':id')
  @Match({ headers: { 'X-Version': '2' } })
  second(@Param('id') id: string): string {
    return `second ${id}`;
  }

  @Get(':key')
  @Match({ headers: { 'X-Version': '2' }, query: { full: { present: true } } })
  full(@Param('key') key: string): string {
    return `full ${key}`;
  }

  @Get(':id')
  @Match({ hosts: ['b.test'] })
  hosted(@Param('id') id: string): string {
    return `hosted ${id}`;
  }

  @All(':id')
  @Match({ headers: { 'X-Any': { prefix: 'a' } } })
  any(@Param('id') id: string): string {
    return `any ${id}`;
  }

  @Post('narrow')
  @Match({ query: { kind: 'a' } })
  narrow(): string {
    return 'a';
  }

  @Post('narrow')
  @Match({ query: { kind: 'b' } })
  @Authentication({ schemes: ['apiKey'] })
  narrower(): string {
    return 'b';
  }
}

abstract class Described {
  @Get()
  show(): string {
    return this.constructor.name;
  }
}

@Controller('described')
@Match({ headers: { 'X-Version': '1' } })
@Public()
class FirstController extends Described {}

@Controller('described')
@Match({ headers: { 'X-Version': '2' } })
@Public()
class SecondController extends Described {}

@Controller('twins')
@Public()
class TwinsController {
  @Get()
  @Match({ headers: { 'X-Version': '1' } })
  one(): string {
    return 'one';
  }

  @Get()
  @Match({ headers: { 'X-Version': '1' } })
  two(): string {
    return 'two';
  }
}

class MisplacedController {
  @Match({ hosts: ['a.test'] })
  nothing(): void {}
}
Controller('misplaced')(MisplacedController);

@Module({ controllers: [TwinsController] })
class TwinsModule {}

@Module({ controllers: [MatchedController, RivalsController, FirstController, SecondController] })
class MatchedModule {}

@Module({ controllers: [MisplacedController] })
class MisplacedModule {}

const policies = { authentication: 'public' };
const holder = useShop({
  routes: [
    { id: 'field', match: { path: '/matched/field' }, respond: { body: 'file' }, policies },
    { id: 'host', match: { path: '/matched/host' }, respond: { body: 'file' }, policies },
    { id: 'narrow', match: { path: '/rivals/narrow' }, respond: { body: 'file' }, policies },
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

  it.each<[method: string, path: string, Record<string, string>, string | number]>([
    ['GET', '/rivals/7', {}, 'plain 7'],
    ['GET', '/rivals/7', { 'x-version': '1' }, 'plain 7'],
    ['GET', '/rivals/7', { 'x-version': '2' }, 'second 7'],
    ['GET', '/rivals/7?full', { 'x-version': '2' }, 'full 7'],
    ['GET', '/rivals/7?full', {}, 'plain 7'],
    ['GET', '/rivals/7', { host: 'B.test:80' }, 'hosted 7'],
    ['GET', '/rivals/7', { 'x-any': 'abc' }, 'plain 7'],
    ['PUT', '/rivals/7', { 'x-any': 'abc' }, 'any 7'],
    ['PUT', '/rivals/7', {}, 405],
    ['POST', '/rivals/narrow?kind=a', {}, 'a'],
    ['POST', '/rivals/narrow?kind=b', {}, 401],
    ['POST', '/rivals/narrow?kind=c', {}, 'file'],
    ['POST', '/rivals/narrow?kind=a&kind=b', {}, 'file'],
    ['GET', '/described', { 'x-version': '1' }, 'FirstController'],
    ['GET', '/described', { 'x-version': '2' }, 'SecondController'],
    ['GET', '/described', {}, 404],
    ['GET', '/rivals/a%2Fb', {}, 400],
  ])('among several of one path: %s %s with %j is for %s', async (method, path, headers, expected) => {
    const answer = await holder.shop.call(path, { method, headers });
    expect(typeof expected === 'number' ? answer.status : answer.text).toBe(expected);
  });

  it('answers HEAD among several as it answers GET', async () => {
    const answer = await holder.shop.call('/rivals/7', { method: 'HEAD', headers: { 'x-version': '2' } });
    expect(answer).toMatchObject({ status: 200, text: '' });
    expect(answer.headers['content-length']).toBe(String('second 7'.length));
  });

  it('cannot ask for the same as another one', async () => {
    const config = 'version: 1\ndefaults: { policies: { authentication: public } }\n';
    const fault = await checkGateway({ config, modules: [TwinsModule] }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect((fault as ConfigError).faults).toEqual([
      expect.objectContaining({
        file: 'test/routing/handler-match.e2e-spec.ts',
        key: 'TwinsController.two  match',
        message: expect.stringMatching(/can never be reached: TwinsController\.one/),
      }),
    ]);
  });

  it('has to be one', async () => {
    const config = 'version: 1\ndefaults: { policies: { authentication: public } }\n';
    const fault = await checkGateway({ config, modules: [MisplacedModule] }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect((fault as ConfigError).faults).toEqual([
      expect.objectContaining({
        file: 'test/routing/handler-match.e2e-spec.ts',
        key: 'MisplacedController.nothing  @Match  match',
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
