import { Controller, Get, Param } from '@nestjs/common';
import { Answers, Caller, CurrentExchange, Deadline, Exchange, Public, RateLimit } from 'gatehouse';
import { z } from 'zod';
import { get__Name__, type __Name__ } from './__name__.calls.ts';

const body = z.object({ id: z.string(), title: z.string() });

@Controller('api/v1/__name__')
@Public()
@Deadline('3s')
export class __Name__Controller {
  constructor(private readonly caller: Caller) {}

  @Get(':id')
  @RateLimit({ rate: 600, per: '1m', burst: 100 })
  @Answers(body)
  async show(@Param('id') id: string, @CurrentExchange() exchange: Exchange): Promise<z.output<typeof body>> {
    return toBody(await this.caller.call(get__Name__, { id }, { exchange, timeoutMs: 1000 }));
  }
}

function toBody({ id, name }: __Name__): z.output<typeof body> {
  return { id, title: name };
}
