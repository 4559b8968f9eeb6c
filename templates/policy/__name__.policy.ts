import { applyDecorators } from '@nestjs/common';
import { Deadline, RateLimit, ServerTiming } from 'gatehouse';

/**
 * What the routes of this kind have in common, for a class or a handler. Each policy takes what its key in the file takes, and
 * is enforced where the gateway's order puts it, whatever the order here.
 */
export function __Name__(): ClassDecorator & MethodDecorator {
  return applyDecorators(
    RateLimit({ key: 'ip', rate: 2, per: '1m', burst: 2 }),
    Deadline('3s'),
    ServerTiming({ for: 'loopback' }),
  );
}
