import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module, UseGuards, type CanActivate, type Type } from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { Test, type TestingModule } from '@nestjs/testing';
import { AnswerGuard } from './answer.guard.ts';
import { SeatedGuards } from './seated-guards.ts';

class TeamGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

/** Classes anew for each test: what is seated stays on them. */
function controllers(): { readonly plain: Type; readonly guarded: Type } {
  class Base {
    @Get('inherited')
    inherited(): void {}
  }
  @Controller('plain')
  class PlainController extends Base {
    @Get('open')
    open(): void {}
    @Get('own')
    @UseGuards(TeamGuard)
    own(): void {}
  }
  @Controller('guarded')
  @UseGuards(TeamGuard)
  class GuardedController extends Base {
    @Get('one')
    one(): void {}
  }
  return { plain: PlainController, guarded: GuardedController };
}

@Module({})
class Own {}

describe(SeatedGuards.name, () => {
  let testing: TestingModule | undefined;
  afterEach(() => testing?.close());
  const seatedIn = async (of: readonly Type[], team: object[] = []): Promise<SeatedGuards> => {
    @Module({ controllers: [...of], providers: team as never })
    class TeamModule {}
    testing = await Test.createTestingModule({
      imports: [DiscoveryModule, TeamModule, Own],
      providers: [SeatedGuards],
    }).compile();
    const seated = testing.get(SeatedGuards);
    seated.seat(Own);
    return seated;
  };
  const lastGuard = (type: Type, name: string): unknown =>
    (Reflect.getMetadata(GUARDS_METADATA, type.prototype[name] as object) as unknown[] | undefined)?.at(-1);

  it('puts one behind the guards of a handler and of a class, and nowhere else', async () => {
    const { plain, guarded } = controllers();
    const seated = await seatedIn([plain, guarded]);
    expect(lastGuard(plain, 'own')).toBeInstanceOf(AnswerGuard);
    expect(lastGuard(guarded, 'one')).toBeInstanceOf(AnswerGuard);
    // One function for both classes, of which one has guards.
    expect(lastGuard(guarded, 'inherited')).toBeInstanceOf(AnswerGuard);
    expect(lastGuard(plain, 'open')).toBeUndefined();
    const ids = ['plain.own', 'guarded.one', 'guarded.inherited', 'plain.open'];
    expect(ids.filter((id) => seated.hasRoute(id))).toEqual(ids.slice(0, 3));
    expect(seated.has(plain.prototype.open as object)).toBe(false);
  });

  it('puts one on all handlers where a team has a guard for the whole application', async () => {
    const { plain } = controllers();
    const seated = await seatedIn([plain], [{ provide: APP_GUARD, useClass: TeamGuard }]);
    expect(lastGuard(plain, 'open')).toBeInstanceOf(AnswerGuard);
    expect(seated.hasRoute('plain.open')).toBe(true);
  });
});
