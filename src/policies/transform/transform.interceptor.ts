import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { map, type Observable } from 'rxjs';
import { exchangeOf } from '../../exchange/exchange-of.ts';

/** Edits what a handler returns as its route's stages say, such as masked fields. */
@Injectable()
export class TransformInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const exchange = exchangeOf(context);
    const editing = exchange.route?.leaving.filter((stage) => stage.body !== undefined) ?? [];
    return next
      .handle()
      .pipe(
        map((value: unknown) => editing.reduce((edited, stage) => stage.body?.(exchange, edited), value)),
      );
  }
}
