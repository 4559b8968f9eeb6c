import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { sendStageAnswer, StageAnswered } from '../exchange/stage-answer.ts';
import { Problem } from '../problems/problem.ts';

/** Sends what a stage answers that a guard or an interceptor has entered. */
@Catch(StageAnswered)
export class StageAnswerFilter implements ExceptionFilter<StageAnswered> {
  catch(answered: StageAnswered, host: ArgumentsHost): void {
    // Fails closed: a field of an operation cannot be answered in place of the whole.
    if (host.getType<string>() === 'graphql') throw new Problem('internal', { cause: answered });
    sendStageAnswer(host.switchToHttp().getResponse<FastifyReply>(), answered.answer);
  }
}
