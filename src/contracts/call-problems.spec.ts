import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { View } from '../bff/view.ts';
import { Views } from '../bff/views.ts';
import { Caller } from '../calls/caller.ts';
import { httpUpstream } from '../calls/http-upstream.ts';
import { Answers, AnswersView } from './answers.decorator.ts';
import { callProblems, canCall, viewProtocols } from './call-problems.ts';
import { ComponentStore } from './components.ts';
import { handlerContract, handlersByOrigin } from './handler-contract.ts';

const upstream = httpUpstream('spec');
const thing = upstream.get<{ id: string }, { name: string }>('callProblems.thing', '/things/{id}', {
  decode: z.object({ name: z.string() }),
});
const body = z.object({ name: z.string() });

const Loose = View.define('CallProblemsLoose')
  .input<{ id: string }>()
  .section('thing', thing, ({ input }) => input);
const Strict = View.define('CallProblemsStrict')
  .input<{ id: string }>()
  .required('thing', thing, ({ input }) => input);
const Around = View.define('CallProblemsAround')
  .input<{ id: string }>()
  .required('inner', Strict, ({ input }) => input);
const Open = View.define('CallProblemsOpen')
  .input<{ id: string }>()
  .required('any', ({ call, input }) => call(thing, input));

@Injectable()
class Service {
  constructor(readonly caller: Caller) {}
}

@Controller('calls')
class CallingController {
  constructor(readonly service: Service) {}

  @Get('said')
  @Answers(body, { calls: [thing] })
  said(): void {}

  @Get('none')
  @Answers(body, { calls: [] })
  none(): void {}

  @Get('unsaid')
  @Answers(body)
  unsaid(): void {}

  @Get('bare')
  bare(): void {}

  @Get('loose')
  @AnswersView(Loose)
  loose(): void {}

  @Get('strict')
  @AnswersView(Strict)
  strict(): void {}
}

class PropertyController {
  @Inject(Views) readonly views!: Views;
}

class IdleController {
  @Get()
  idle(): void {}
}

function codesOf(name: string, protocols?: readonly ('http' | 'grpc')[]): readonly string[] {
  const handler = handlersByOrigin([CallingController]).get(`CallingController.${name}`);
  if (handler === undefined) throw new Error(`there is no ${name}`);
  return handlerContract(handler, 'GET', new ComponentStore(), protocols && new Set(protocols)).problems;
}

const HTTP = [...callProblems(['http'])].sort();
const GRPC = [...callProblems(['grpc'])].sort();

describe('the problems of calls', () => {
  it('are those of an upstream, and with gRPC those of its status', () => {
    expect(HTTP).toEqual(
      expect.arrayContaining(['upstream-unreachable', 'upstream-rejected', 'resource-not-found']),
    );
    expect(GRPC).toEqual(expect.arrayContaining([...HTTP, 'conflict', 'upstream-exhausted']));
    expect(HTTP).not.toContain('conflict');
    expect(callProblems([])).toEqual([]);
  });

  it('are those of the calls that a handler says it makes', () => {
    expect([...codesOf('said')].sort()).toEqual(HTTP);
    expect(codesOf('none')).toEqual([]);
  });

  it.each(['unsaid', 'bare'])('are all that there can be where it says nothing: %s', (name) => {
    expect([...codesOf(name)].sort()).toEqual(GRPC);
    expect([...codesOf(name, ['http'])].sort()).toEqual(HTTP);
  });

  it('are those of the required sections of a view', () => {
    expect(codesOf('loose')).toEqual(['request-invalid']);
    expect([...codesOf('strict')].sort()).toEqual([...HTTP, 'request-invalid'].sort());
    const known = new Set(['grpc'] as const);
    expect([Loose, Strict, Around, Open].map((view) => [...viewProtocols(view, known)])).toEqual([
      [],
      ['http'],
      ['http'],
      ['grpc'],
    ]);
  });
});

it('finds out who can make calls, through whatever is injected', () => {
  expect([Caller, Service, CallingController, PropertyController].map((one) => canCall(one))).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect([IdleController, String, undefined, 'token'].map((one) => canCall(one))).toEqual([
    false,
    false,
    false,
    false,
  ]);
});
