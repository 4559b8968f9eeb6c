import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { exchangeOf } from '../exchange/exchange-of.ts';
import { passOn } from '../policies/seats.ts';

/**
 * The last guard of a handler that has guards of its own: what a stage has answered in its place, as an earlier request was
 * answered, is sent once they have let this one pass. Else who they refuse now would be told what somebody else was told.
 */
@Injectable()
export class AnswerGuard implements CanActivate {
  canActivate(context: ExecutionContext): true {
    if (context.getType<string>() !== 'http') return true;
    const exchange = exchangeOf(context);
    const { awaited } = exchange;
    exchange.awaited = undefined;
    passOn(awaited);
    if (exchange.recording !== undefined) exchange.recording.handledFrom = exchange.responseHeaders.length;
    return true;
  }
}
