import { Controller, Get, Res, type StreamableFile } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { VariantBody } from '../../bff/views.ts';
import { Views } from '../../bff/views.ts';
import { AnswersView } from '../../contracts/answers.decorator.ts';
import { CurrentExchange } from '../../exchange/exchange-of.ts';
import { Exchange } from '../../exchange/exchange.ts';
import { Authentication } from '../../policies/authentication/authentication.policy.ts';
import { headlinesData } from './headlines.mapper.ts';
import { homepageInput } from './homepage.input.ts';
import { Homepages } from './homepage.view.ts';
import { notificationsData, unreadData } from './notifications.mapper.ts';

/** The homepage over REST. */
@Controller('api')
@Authentication({ schemes: ['jwt', 'apiKey'] })
export class HomepageController {
  constructor(private readonly views: Views) {}

  /**
   * Answers the whole view, or the sections that `?fields=user,feed` selects, in the shape for `x-device`; as
   * records, section by section, to who accepts `application/x-ndjson` or `text/event-stream`.
   */
  @Get('homepage')
  @AnswersView(
    Homepages,
    { notifications: notificationsData },
    {
      summary: 'Show the first screen',
      streamed: true,
      kinds: { mobile: { feed: headlinesData, notifications: unreadData } },
    },
  )
  show(
    @CurrentExchange() exchange: Exchange,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<VariantBody<typeof Homepages> | StreamableFile | undefined> {
    return this.views.answer(Homepages, homepageInput(exchange), exchange, reply);
  }
}
