import { Controller, Get } from '@nestjs/common';
import type { ViewBody } from '../../bff/views.ts';
import { Views } from '../../bff/views.ts';
import { AnswersView } from '../../contracts/answers.decorator.ts';
import { CurrentExchange } from '../../exchange/exchange-of.ts';
import { Exchange } from '../../exchange/exchange.ts';
import { Authentication } from '../../policies/authentication/authentication.policy.ts';
import { homepageInput } from './homepage.input.ts';
import { Homepage } from './homepage.view.ts';
import { notificationsData } from './notifications.mapper.ts';

/** The homepage over REST. */
@Controller('api')
@Authentication({ schemes: ['jwt', 'apiKey'] })
export class HomepageController {
  constructor(private readonly views: Views) {}

  /** Answers the whole view, or the sections that `?fields=user,feed` selects. */
  @Get('homepage')
  @AnswersView(Homepage, { notifications: notificationsData }, { summary: 'Show the first screen' })
  show(@CurrentExchange() exchange: Exchange): Promise<ViewBody<typeof Homepage>> {
    return this.views.serve(Homepage, homepageInput(exchange), exchange);
  }
}
