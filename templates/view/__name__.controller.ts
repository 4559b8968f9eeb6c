import { Controller, Get, Param, Res } from '@nestjs/common';
import { AnswersView, CurrentExchange, Exchange, Public, Views, type ViewReply } from 'gatehouse';
import { __Name__ } from './__name__.view.ts';

@Controller('api/v1/__name__')
@Public()
export class __Name__Controller {
  constructor(private readonly views: Views) {}

  @Get(':id')
  @AnswersView(__Name__)
  show(
    @Param('id') id: string,
    @CurrentExchange() exchange: Exchange,
    @Res({ passthrough: true }) reply: ViewReply,
  ) {
    return this.views.answer(__Name__, { id }, exchange, reply);
  }
}
