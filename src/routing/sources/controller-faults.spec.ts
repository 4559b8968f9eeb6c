import { describe, expect, it } from '@jest/globals';
import {
  Body,
  Controller,
  Get,
  Headers,
  Param,
  ParseIntPipe,
  Post,
  Query,
  UsePipes,
  type Type,
} from '@nestjs/common';
import { z } from 'zod';
import { Roles } from '../../policies/authorization/authorization.policy.ts';
import { controllerFaults } from './controller-faults.ts';

const schema = z.strictObject({ name: z.string() });
const told = (...controllers: Type[]) =>
  controllerFaults(controllers).map(({ file, key, message }) => `${file} ${key} ${message}`);

describe('controllerFaults', () => {
  it('lists bodies and queries that nobody checks, with the fix', () => {
    @Controller()
    class Open {
      @Post('a')
      whole(@Body() _body: object): void {}
      @Post('b')
      one(@Body('key') _key: string): void {}
      @Get('c')
      query(@Query() _query: object, @Query('page') _page: string): void {}
    }
    const faults = told(Open);
    expect(faults.map((one) => one.split(' ').slice(0, 2).join(' '))).toEqual(
      expect.arrayContaining([
        'Open.whole @Body',
        'Open.one @Body',
        'Open.query @Query',
        'Open.query @Query',
      ]),
    );
    expect(faults).toHaveLength(4);
    expect(faults[0]).toContain('write `@Body({ schema })` with a schema of zod');
    expect(faults.join()).toContain("write `@Body('key', { schema })`");
  });

  it('is content with schemas and pipes, and with what is always text', () => {
    @Controller()
    class Checked {
      @Post('a/:id/:name')
      take(
        @Body({ schema }) _body: object,
        @Query({ schema }) _query: object,
        @Query('page', ParseIntPipe) _page: number,
        @Param({ schema }) _all: object,
        @Param('id') _id: string,
        @Headers('x-kind') _kind: string,
      ): void {}
      @UsePipes(ParseIntPipe)
      @Post('b')
      piped(@Body() _body: number): void {}
    }
    expect(told(Checked)).toEqual([]);
  });

  it('lists parameters that are more than text', () => {
    @Controller()
    class Open {
      @Get('a/:id')
      whole(@Param() _all: object): void {}
      @Get('b/:id')
      number(@Param('id') _id: number): void {}
      @Get('c/:id')
      text(@Param('id') _id: string, @Param('id') _kind: 'a' | 'b'): void {}
    }
    expect(told(Open)).toEqual([
      expect.stringContaining('Open.whole @Param any text may come in; write `@Param({ schema })`'),
      expect.stringContaining("Open.number @Param any text may come in; write `@Param('id', { schema })`"),
    ]);
  });

  it('looks at handlers that are inherited, and at what a base class says', () => {
    class Base {
      @Post()
      take(@Body() _body: object): void {}
      @Roles('admin')
      helper(): void {}
    }
    @Controller()
    class Derived extends Base {}
    expect(told(Derived)).toEqual([
      expect.stringContaining('Base.helper policies.authorization has no effect here'),
      expect.stringContaining('Derived.take @Body anything may come in'),
    ]);
  });
});
